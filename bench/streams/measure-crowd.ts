import { renderMark } from '../mark.ts';
import type { Marked } from '../mark.ts';
import { departureSeconds, leave } from './departure.ts';
import { measureEventDelays } from './event-delay.ts';
import { callInTurn } from './pairs-of-calls.ts';
import type { StreamGateway, StreamWorld } from './world.ts';

export interface CrowdPlan {
  /** Silent streams through one gateway. */
  readonly streams: number;
  /** A call beside them and one to an idle gateway. */
  readonly pairsOfCalls: number;
  readonly delaySeconds: number;
  readonly tell: (line: string) => void;
}

export interface TwoGateways {
  readonly crowded: StreamGateway;
  /** The same, without streams. */
  readonly quiet: StreamGateway;
}

/** Streams and calls that come before anything is measured: compiled code is no stream's memory. */
const warmUp = { streams: 500, calls: 500 };

/** Many silent streams: their memory, what they cost a call and an event beside them, and what they leave behind. */
export async function measureCrowd(
  world: StreamWorld,
  { crowded, quiet }: TwoGateways,
  { streams, pairsOfCalls, delaySeconds, tell }: CrowdPlan,
): Promise<readonly string[]> {
  const callees = [await crowded.callee('/idle'), await quiet.callee('/idle')] as const;
  const crowd = world.startCrowd(callees[0]);
  await crowd.become(Math.min(warmUp.streams, streams));
  await callInTurn(callees, { warmUp: 0, calls: warmUp.calls });
  await leave(crowd, crowded, await quiet.state('now'));
  const before = await crowded.state('collected');

  const startedAt = performance.now();
  await crowd.become(streams);
  const openedSeconds = (performance.now() - startedAt) / 1000;
  const asItStands = await crowded.state('now');
  const open = await crowded.state('collected');
  tell(
    `${streams} streams opened in ${openedSeconds.toFixed(1)} s; ${mebibytes(before)} before, ${mebibytes(asItStands)} with them, ${mebibytes(open)} once collected`,
  );

  const [beside, idle] = await callInTurn(callees, { warmUp: 100, calls: pairsOfCalls });
  if (beside === undefined || idle === undefined) throw new Error('both were called');
  tell(
    `a call beside them took ${beside.p50Millis.toFixed(2)} ms at the median and ${beside.p99Millis.toFixed(2)} ms at p99, of an idle gateway ${idle.p50Millis.toFixed(2)} and ${idle.p99Millis.toFixed(2)} ms`,
  );

  const ticks = [await crowded.callee('/ticks'), { url: world.upstreamUrl('/ticks'), token: 'none' }];
  const [through = Number.NaN, direct = Number.NaN] = await measureEventDelays(ticks, delaySeconds);
  tell(
    `an event took ${through.toFixed(2)} ms through the gateway and ${direct.toFixed(2)} ms direct, at the median`,
  );

  const left = await leave(crowd, crowded, before);
  const after = await crowded.state('collected');
  tell(
    `after ${streams} resets nothing more changed from ${left.seconds.toFixed(1)} s on; ${mebibytes(after)} once collected`,
  );
  return [
    mark(
      'memory of a silent stream',
      (open.residentBytes - before.residentBytes) / streams / 1024,
      30,
      ' KiB',
    ),
    mark('p99 of a call beside them/of an idle gateway', beside.p99Millis / idle.p99Millis, 2, ''),
    mark('delay of an event, above direct', through - direct, 2, ' ms'),
    ...(['sockets', 'timers', 'streams'] as const).map((what) =>
      mark(`${what} left ${departureSeconds} s after ${streams} abrupt exits`, left[what], 0, ''),
    ),
  ];
}

function mark(title: string, value: number, limit: number, unit: string): string {
  const marked: Marked = { title, value, rounds: [value], mark: limit, better: 'lower', unit };
  return renderMark(marked);
}

function mebibytes({ residentBytes }: { readonly residentBytes: number }): string {
  return `${(residentBytes / 2 ** 20).toFixed(0)} MiB`;
}
