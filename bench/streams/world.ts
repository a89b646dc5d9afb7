import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startGatewayWith } from '../contestants/gateway.ts';
import type { GatewayContestant } from '../contestants/gateway.ts';
import { benchFile, startNode } from '../node-process.ts';
import type { NodeProcess } from '../node-process.ts';
import { builtProgram } from '../ground.ts';
import { startIssuer } from '../issuer.ts';
import type { Issuer } from '../issuer.ts';
import type { GatewayState } from './state.ts';

const routes = ['/idle', '/ticks', '/bulk'] as const;
export type StreamRoute = (typeof routes)[number];

export interface StreamWorld extends AsyncDisposable {
  readonly upstreamUrl: (route: StreamRoute) => string;
  /** A gateway in a process of its own, with a route for each kind of stream. */
  readonly startGateway: (name: string) => Promise<StreamGateway>;
  /** Many clients of one URL, in a process of their own. */
  readonly startCrowd: (callee: Callee) => Crowd;
}

export interface Callee {
  readonly url: string;
  readonly token: string;
}

export interface StreamGateway {
  readonly contestant: GatewayContestant;
  readonly callee: (route: StreamRoute) => Promise<Callee>;
  /** As it stands, or after garbage collection. */
  readonly state: (when: 'now' | 'collected') => Promise<GatewayState>;
  readonly residentBytes: () => Promise<number>;
  /** By the metric. */
  readonly streamsOpen: () => Promise<number>;
}

export interface Crowd {
  /** Opens further streams, or with 0 leaves all of them by a reset. Rejects unless that many are open then. */
  readonly become: (count: number) => Promise<void>;
}

const stopLimitMillis = 5000;
const stateLimitMillis = 60_000;
const crowdLimitMillis = 180_000;

/** The parts of `npm run bench:streams`, each a process of its own; all are gone when it is disposed of. */
export async function startStreamWorld(): Promise<StreamWorld> {
  await using starting = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-streams-'));
  starting.defer(() => rmSync(folder, { recursive: true, force: true }));
  const upstream = startPart('upstream.ts', []);
  starting.defer(() => upstream.stop(stopLimitMillis));
  const upstreamOrigin = `http://127.0.0.1:${await upstream.port()}`;
  const issuer = await startIssuer();
  starting.defer(() => issuer.close());
  const parts = starting.move();
  return {
    upstreamUrl: (route) => `${upstreamOrigin}${route}`,
    async startGateway(name) {
      const own = join(folder, name);
      mkdirSync(own);
      const gateway = await startStreamGateway({ upstream, upstreamOrigin, issuer, folder: own });
      parts.defer(() => gateway.contestant.stop());
      return gateway;
    },
    startCrowd({ url, token }) {
      const crowd = startPart('crowd.ts', [url, token]);
      parts.defer(() => crowd.stop(stopLimitMillis));
      return { become: (count) => become(crowd, count) };
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function startPart(script: string, args: readonly string[]): NodeProcess {
  return startNode({ name: script, script: benchFile(`streams/${script}`), args, cpuSource: 'ipc' });
}

async function become(crowd: NodeProcess, count: number): Promise<void> {
  const open = await crowd.ask(String(count), crowdLimitMillis);
  if (open !== count) throw new Error(`${count} streams were wanted: ${String(open)}`);
}

interface GatewayParts {
  readonly upstream: NodeProcess;
  readonly upstreamOrigin: string;
  readonly issuer: Issuer;
  readonly folder: string;
}

async function startStreamGateway({
  upstream,
  upstreamOrigin,
  issuer,
  folder,
}: GatewayParts): Promise<StreamGateway> {
  const nodeArgs = ['--expose-gc', '--import', benchFile('streams/tell-state.ts')];
  const ground = {
    upstream,
    upstreamUrl: `${upstreamOrigin}/mcp`,
    issuer,
    folder,
    cpuSource: 'ipc',
    program: builtProgram,
    nodeArgs,
  } as const;
  const contestant = await startGatewayWith(ground, {
    routes: routes.map((route) => describeRoute(route, upstreamOrigin)),
  });
  const { process: gateway, opsUrl } = contestant;
  return {
    contestant,
    async callee(route) {
      const url = contestant.url.replace(/\/mcp$/, route);
      return { url, token: await issuer.mintToken(url) };
    },
    state: async (when) =>
      (await gateway.ask(when === 'collected' ? 'collect' : 'state?', stateLimitMillis)) as GatewayState,
    residentBytes: async () => (await gateway.ask('rss?', stateLimitMillis)) as number,
    streamsOpen: () => readStreamsOpen(opsUrl),
  };
}

function describeRoute(path: StreamRoute, upstreamOrigin: string): string {
  const limits = '{ streams: 100000, perPrincipal: { streams: 100000 } }';
  return `{ path: ${path}, limits: ${limits}, upstream: '${upstreamOrigin}${path}' }`;
}

async function readStreamsOpen(opsUrl: string): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  const values = [...text.matchAll(/^portcullis_streams_open\{.*\} (\d+)$/gm)];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}
