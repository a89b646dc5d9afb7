import type { CpuSource } from '../cpu.ts';
import type { Exchange } from '../exchange.ts';
import { smallCall } from '../exchange.ts';
import type { Issuer } from '../issuer.ts';
import type { MeasuredProcess } from '../measured-process.ts';
import { versionOnPath } from '../native-process.ts';
import { benchFile, startNode } from '../node-process.ts';
import type { NodeProcess } from '../node-process.ts';
import { checkedAudience } from './audience.ts';
import { startGateway } from './gateway.ts';
import { startHaproxy } from './haproxy.ts';
import { startNginx } from './nginx.ts';

/** In the order of the table. */
export const contestantNames = [
  'direct',
  'bare',
  'stock',
  'stock-jose',
  'nginx',
  'haproxy-jwt',
  'gateway',
] as const;
export type ContestantName = (typeof contestantNames)[number];

/** What a contestant is put on: the one upstream, the one authorization server, and a folder for files. */
export interface Ground {
  readonly upstream: NodeProcess;
  readonly upstreamUrl: string;
  readonly issuer: Issuer;
  readonly folder: string;
  readonly cpuSource: CpuSource;
  /** The file that starts Portcullis. */
  readonly program: string;
  /** Flags for the contestant's Node, not for the upstream's. */
  readonly nodeArgs: readonly string[];
}

export interface Contestant {
  readonly name: string;
  /** What runs in V8 is slow until it is compiled. */
  readonly runtime: 'node' | 'native';
  readonly url: string;
  /** What its callers send besides the headers of every call. */
  readonly headers: Readonly<Record<string, string>>;
  /** What it is asked. */
  readonly exchange: Exchange;
  readonly process: MeasuredProcess;
  /** Rejects when the round, with so many answers, wasn't what it seemed. */
  readonly checkRound: (answered: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const stopLimitMillis = 5000;

const commands: Partial<Record<ContestantName, string>> = { nginx: 'nginx', 'haproxy-jwt': 'haproxy' };

/** Why a contestant can't run here; undefined where it can. */
export function whyMissing(name: ContestantName, cpuSource: CpuSource): string | undefined {
  const command = commands[name];
  if (command === undefined) return undefined;
  if (cpuSource !== 'proc') return `${name} is left out: nobody tells what it costs`;
  return versionOnPath(command) === undefined
    ? `${name} is left out: there is no ${command} on PATH`
    : undefined;
}

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
  switch (name) {
    case 'gateway':
      return startGateway(ground);
    case 'nginx':
      return startNginx(ground);
    case 'haproxy-jwt':
      return startHaproxy(ground);
    case 'direct':
      return meetDirectly(ground);
    case 'stock-jose': {
      const args = [ground.issuer.issuer, checkedAudience];
      const headers = { Authorization: `Bearer ${await ground.issuer.mintToken(checkedAudience)}` };
      return { ...(await startScript(name, ground, args)), headers };
    }
    case 'bare':
    case 'stock':
      return startScript(name, ground, []);
  }
}

function meetDirectly(ground: Ground): Contestant {
  const url = ground.upstreamUrl.replace('127.0.0.1', 'localhost');
  return { ...plain, name: 'direct', url, process: ground.upstream, stop: async () => {} };
}

async function startScript(
  name: ContestantName,
  ground: Ground,
  args: readonly string[],
): Promise<Contestant> {
  const started = startNode({
    name,
    script: benchFile(`contestants/${name}.ts`),
    args: [ground.upstreamUrl, ...args],
    cpuSource: ground.cpuSource,
    nodeArgs: ground.nodeArgs,
  });
  const url = `http://localhost:${await started.port()}/mcp`;
  return { ...plain, name, url, process: started, stop: () => started.stop(stopLimitMillis) };
}

const plain = {
  runtime: 'node',
  headers: {},
  exchange: smallCall,
  checkRound: async (): Promise<void> => {},
} as const;
