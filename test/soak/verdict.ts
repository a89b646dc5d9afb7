import type { Checkpoint, SoakReport } from './soak.ts';

/** What a heap of some 30 MiB gains and loses between two looks with nothing wrong. */
const heapNoiseBytes = 4 * 2 ** 20;

/** Connections in pools come and go with chance. */
const socketNoise = 12;

/** What stands against the run, one sentence each; none: nothing grew, nothing was lost, nobody got another's answer. */
export function faultsOf(report: SoakReport): readonly string[] {
  const { unexplained, crossed, defects, keyFetches, amplification, checkpoints } = report;
  const grew = (of: (checkpoint: Checkpoint) => number): number => {
    const third = Math.ceil(checkpoints.length / 3);
    const least = (some: readonly Checkpoint[]): number => Math.min(...some.map(of));
    return least(checkpoints.slice(-third)) - least(checkpoints.slice(0, third));
  };
  const heap = grew(({ heapBytes }) => heapBytes);
  const counts = {
    sockets: grew(({ sockets }) => sockets),
    files: grew(({ files }) => files),
    handles: grew(({ handles }) => handles),
  };
  return [
    ...(unexplained.length > 0
      ? [`${unexplained.length} answers that nothing explains, such as ${unexplained[0]}`]
      : []),
    ...(crossed > 0 ? [`${crossed} answers of others`] : []),
    ...(defects.length > 0 ? [`${defects.length} defects, such as ${defects[0]}`] : []),
    ...(heap > heapNoiseBytes ? [`the heap grew by ${heap} bytes`] : []),
    ...Object.entries(counts).flatMap(([name, by]) => (by > socketNoise ? [`${by} more ${name}`] : [])),
    ...(report.configurationsHeld > 1 ? [`${report.configurationsHeld} configurations are still held`] : []),
    ...(keyFetches.most > keyFetches.allowed
      ? [`${keyFetches.most} key fetches, ${keyFetches.allowed} allowed`]
      : []),
    ...Object.entries(amplification).flatMap(([when, times]) =>
      times > 10 ? [`${times} bytes of memory for one of a stranger's, ${when}`] : [],
    ),
  ];
}
