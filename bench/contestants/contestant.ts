import type { CpuSource } from '../cpu.ts';
import { benchFile, startNode } from '../node-process.ts';
import type { NodeProcess } from '../node-process.ts';
import { startGateway } from './gateway.ts';

/** In the order of the table. */
export const contestantNames = ['direct', 'bare', 'stock', 'gateway'] as const;
export type ContestantName = (typeof contestantNames)[number];

/** What a contestant is put on: the one upstream, and a folder for files. */
export interface Ground {
  readonly upstream: NodeProcess;
  readonly upstreamUrl: string;
  readonly folder: string;
  readonly cpuSource: CpuSource;
  /** Flags for the contestant's Node, not for the upstream's. */
  readonly nodeArgs: readonly string[];
}

export interface Contestant {
  readonly name: string;
  readonly url: string;
  /** What its callers send besides the headers of every call. */
  readonly headers: Readonly<Record<string, string>>;
  readonly process: NodeProcess;
  /** Rejects when the round, with so many 2xx answers, wasn't what it seemed. */
  readonly checkRound: (answered: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const stopLimitMillis = 5000;

export async function startUpstream(cpuSource: CpuSource): Promise<{ process: NodeProcess; url: string }> {
  const started = startNode({
    name: 'upstream',
    script: benchFile('contestants/upstream.ts'),
    args: [],
    cpuSource,
  });
  return { process: started, url: `http://127.0.0.1:${await started.port()}/mcp` };
}

/** Starts a contestant in a process of its own, ready to be called. */
export async function startContestant(name: ContestantName, ground: Ground): Promise<Contestant> {
  if (name === 'gateway') return startGateway(ground);
  if (name === 'direct') {
    const url = ground.upstreamUrl.replace('127.0.0.1', 'localhost');
    return {
      name,
      url,
      headers: {},
      process: ground.upstream,
      checkRound: async () => {},
      stop: async () => {},
    };
  }
  const started = startNode({
    name,
    script: benchFile(`contestants/${name}.ts`),
    args: [ground.upstreamUrl],
    cpuSource: ground.cpuSource,
    nodeArgs: ground.nodeArgs,
  });
  const url = `http://localhost:${await started.port()}/mcp`;
  const stop = (): Promise<void> => started.stop(stopLimitMillis);
  return { name, url, headers: {}, process: started, checkRound: async () => {}, stop };
}
