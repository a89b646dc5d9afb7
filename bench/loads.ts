import { availableParallelism } from 'node:os';

import { startContestant, whyMissing } from './contestants/contestant.ts';
import type { Contestant, ContestantName } from './contestants/contestant.ts';
import {
  callForEvents,
  callWith1MiB,
  callWith64KiB,
  callWithRows,
  metadataFetch,
  refusedCall,
  smallCall,
} from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { connections } from './load/load.ts';
import type { Field, Round } from './measure.ts';
import { panelOfCpu, panelOfThroughput } from './picture/of-rounds.ts';
import type { BenchPlan } from './plan.ts';
import { race } from './race.ts';
import { renderDisturbance, renderRatios, renderTable, steadyRatio, worstOthersPercent } from './report.ts';
import type { Comparison } from './report.ts';
import type { Section } from './section.ts';

/** What the same contestants are asked in turn. */
export const loadNames = ['call', 'body-64k', 'body-1m', 'events', 'refusals'] as const;
export type LoadName = (typeof loadNames)[number];

interface LoadKind {
  readonly title: string;
  readonly notes: readonly string[];
  /** Absent: all of them. */
  readonly contestants?: readonly ContestantName[];
  /** What takes part: the contestants, each with what it is asked. */
  readonly entrants: (contestants: readonly Contestant[]) => readonly Contestant[];
  readonly comparisons: readonly Comparison[];
  readonly steady: Pick<Comparison, 'own' | 'over'>;
}

const gatewayOverBare = { own: 'gateway', over: 'bare' };
const bodyMark: Comparison = { ...gatewayOverBare, figure: 'requestsPerSecond', mark: 0.9, better: 'higher' };
const proxied = 'a proxied call';
const refused = 'without a token';
const metadata = 'metadata';

const kinds: Readonly<Record<LoadName, LoadKind>> = {
  call: {
    title: 'Small call',
    notes: [
      `One tools/call of about 200 bytes each way, over ${connections} connections. The gateway gets, checks and removes a token (RS256, remembered), and writes request log and audit to files.`,
      'direct is the upstream itself; bare the least that forwards honestly, node:http and Pool.dispatch of undici; stock @fastify/http-proxy as its README has it, stock-jose with a check by jose before it.',
      'haproxy-jwt and stock-jose get the same token but for its audience, check signature, algorithm, issuer, audience and lifetime, and put the subject in its place; bare, stock and nginx check nothing. Each has one thread for requests. HAProxy and nginx write their request log, the other Node contestants none.',
    ],
    entrants: (contestants) => contestants,
    comparisons: [
      { ...gatewayOverBare, figure: 'cpuMicros', mark: 1.3, better: 'lower' },
      { ...gatewayOverBare, figure: 'p99Millis', mark: 1.5, better: 'lower' },
      { own: 'gateway', over: 'stock', figure: 'requestsPerSecond', mark: 1.9, better: 'higher' },
      { own: 'gateway', over: 'stock-jose', figure: 'requestsPerSecond', better: 'higher' },
      { own: 'gateway', over: 'haproxy-jwt', figure: 'cpuMicros', mark: 1, better: 'lower' },
      { own: 'gateway', over: 'haproxy-jwt', figure: 'requestsPerSecond', mark: 1, better: 'higher' },
    ],
    steady: gatewayOverBare,
  },
  'body-64k': {
    title: 'Body of 64 KiB',
    notes: ['One long string, as write tools get it. “rows”: as many bytes in many small values.'],
    contestants: ['bare', 'nginx', 'gateway'],
    entrants: (contestants) => [
      ...contestants.map((each) => asking(each, callWith64KiB)),
      ...named('gateway', contestants).map((gateway) => asking(gateway, callWithRows, 'gateway, rows')),
    ],
    comparisons: [
      bodyMark,
      { own: 'gateway, rows', over: 'bare', figure: 'requestsPerSecond', better: 'higher' },
    ],
    steady: gatewayOverBare,
  },
  'body-1m': {
    title: 'Body of 1 MiB',
    notes: ['One long string, as write tools get it.'],
    contestants: ['bare', 'nginx', 'gateway'],
    entrants: (contestants) => contestants.map((each) => asking(each, callWith1MiB)),
    comparisons: [bodyMark],
    steady: gatewayOverBare,
  },
  events: {
    title: 'Event stream',
    notes: ['A call that is answered with 20 events, each sent on its own, about 3 KB in all.'],
    contestants: ['bare', 'nginx', 'haproxy-jwt', 'gateway'],
    entrants: (contestants) => contestants.map((each) => asking(each, callForEvents)),
    comparisons: [{ ...gatewayOverBare, figure: 'cpuMicros', better: 'lower' }],
    steady: gatewayOverBare,
  },
  refusals: {
    title: 'What the gateway answers itself',
    notes: ['One gateway, asked three things in turn: 401 and RFC 9728 metadata beside a proxied call.'],
    contestants: ['gateway'],
    entrants: (contestants) => named('gateway', contestants).flatMap(answersItself),
    comparisons: [
      { own: refused, over: proxied, figure: 'requestsPerSecond', mark: 3, better: 'higher' },
      { own: metadata, over: proxied, figure: 'requestsPerSecond', better: 'higher' },
    ],
    steady: { own: refused, over: proxied },
  },
};

function named(name: ContestantName, contestants: readonly Contestant[]): readonly Contestant[] {
  return contestants.filter((contestant) => contestant.name === name);
}

function asking(contestant: Contestant, exchange: Exchange, name = contestant.name): Contestant {
  return { ...contestant, exchange, name };
}

function answersItself(gateway: Contestant): readonly Contestant[] {
  const url = gateway.url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp');
  return [
    asking(gateway, smallCall, proxied),
    { ...asking(gateway, refusedCall, refused), headers: {} },
    { ...asking(gateway, metadataFetch, metadata), headers: {}, url },
  ];
}

/** The loads of these names, one after another on contestants that stay up, so that each is warmed up once. */
export async function* measureLoads(
  field: Field,
  plan: BenchPlan,
  names: readonly LoadName[],
): AsyncGenerator<Section> {
  const wanted = plan.contestants.filter((name) => names.some((load) => takesPart(name, load, plan)));
  const missing = new Map(wanted.map((name) => [name, whyMissing(name, field.ground.cpuSource)]));
  const running: Contestant[] = [];
  try {
    for (const name of wanted)
      if (missing.get(name) === undefined) running.push(await startContestant(name, field.ground));
    for (const name of names) {
      const entrants = kinds[name].entrants(running.filter((each) => takesPart(each.name, name, plan)));
      const seconds = name === 'call' ? plan.seconds : plan.otherSeconds;
      const rounds = await race(entrants, field, { ...plan, seconds });
      const left = [...missing].filter(([each, why]) => why !== undefined && takesPart(each, name, plan));
      const why = left.map(([, reason]) => `${reason}.`);
      yield describeLoad(name, rounds, why);
    }
  } finally {
    for (const contestant of running) await contestant.stop();
  }
}

/** A short run has no time for what nothing is compared with. */
function takesPart(contestant: string, load: LoadName, { size }: BenchPlan): boolean {
  const { contestants } = kinds[load];
  if (contestants === undefined) return true;
  if (size === 'short' && contestant !== 'bare' && contestant !== 'gateway') return false;
  return contestants.some((name) => name === contestant);
}

function describeLoad(name: LoadName, rounds: readonly Round[], left: readonly string[]): Section {
  const { title, notes, comparisons, steady } = kinds[name];
  const ours = ['gateway', 'gateway, rows', refused, metadata];
  const cores =
    name === 'call'
      ? [
          `The ${availableParallelism()} cores are shared by load generator, upstream and contestant, so CPU per request is the honest figure.`,
        ]
      : [];
  return {
    part: name,
    title,
    notes: [...notes, ...cores, ...left],
    table: renderTable(rounds),
    lines: [...renderRatios(rounds, comparisons), ...renderDisturbance(rounds)],
    panels: [
      panelOfCpu(title, rounds, ours),
      ...(name === 'call' ? [panelOfThroughput(title, rounds, ours)] : []),
    ],
    ratios: steadyRatio(name, rounds, steady),
    othersPercent: worstOthersPercent(rounds),
  };
}
