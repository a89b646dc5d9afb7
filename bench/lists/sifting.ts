import type { Policy, Route } from '../../src/config/configuration.ts';
import { createJudge } from '../../src/policy/judge.ts';
import { createListFilter } from '../../src/policy/list-filter.ts';
import { BodySieve } from '../../src/upstream/lists/body-sieve.ts';
import { EventSieve } from '../../src/upstream/lists/event-sieve.ts';
import type { Shows } from '../../src/upstream/lists/filter-lists.ts';
import type { Sieve } from '../../src/upstream/lists/sifted.ts';
import type { Principal } from '../../src/vocabulary/principal.ts';
import { toolsCall } from '../call.ts';
import { answerOfTools } from '../contestants/answers.ts';
import { renderMark } from '../mark.ts';
import { median } from '../median.ts';
import { ruleCount } from '../routed-gateway.ts';
import { renderColumns } from '../table.ts';

const tools = answerOfTools.result.tools.length;
const markMillis = 2;

/** What a read of a socket brings. */
const chunkBytes = 64 * 1024;

export interface SiftPlan {
  readonly warmUpPasses: number;
  readonly passes: number;
}

export interface SiftReport {
  readonly notes: readonly string[];
  readonly table: string;
  readonly marks: readonly string[];
}

interface Figures {
  readonly name: string;
  readonly bytes: number;
  /** CPU per answer in microseconds, pass by pass. */
  readonly micros: readonly number[];
}

/** What it costs to filter an answer, and to look through one without a list. */
export function measureSifting(plan: SiftPlan): SiftReport {
  const list = Buffer.from(JSON.stringify(answerOfTools));
  const call = Buffer.from(toolsCall);
  const shows = filterOf50Rules();
  const events = (): Sieve => new EventSieve({ shows, requestId: '1', onWithheld: () => {} });
  const body = (): Sieve => new BodySieve(shows);
  const lists = [
    measure('list, JSON', plan, { open: body, bytes: list, answers: 20 }),
    measure('list, event', plan, { open: events, bytes: asEvent(list), answers: 20 }),
  ];
  const small = [
    measure('small answer, JSON', plan, { open: body, bytes: call, answers: 5_000 }),
    measure('small answer, event', plan, { open: events, bytes: asEvent(call), answers: 5_000 }),
  ];
  return {
    notes: [
      `Lists of ${tools} tools with their schemas, of which ${ruleCount} rules show every other one; the last rule has a condition. Median of ${plan.passes} passes in this process.`,
      'Small answers of about 200 bytes have no list; on a route that filters lists each is looked through.',
    ],
    table: renderColumns(
      ['answer', 'bytes', 'CPU µs'],
      [...lists, ...small].map(({ name, bytes, micros }) => [name, String(bytes), median(micros).toFixed(1)]),
    ),
    marks: lists.map(({ name, micros }) =>
      renderMark({
        title: `${name} of ${tools} tools, filtered`,
        value: median(micros) / 1000,
        rounds: micros.map((value) => value / 1000),
        mark: markMillis,
        better: 'lower',
        unit: ' ms',
      }),
    ),
  };
}

interface Subject {
  readonly open: () => Sieve;
  readonly bytes: Buffer;
  readonly answers: number;
}

function measure(
  name: string,
  { warmUpPasses, passes }: SiftPlan,
  { open, bytes, answers }: Subject,
): Figures {
  const micros: number[] = [];
  for (let pass = -warmUpPasses; pass < passes; pass += 1) {
    const before = process.cpuUsage();
    for (let answer = 0; answer < answers; answer += 1) sift(open(), bytes);
    const { user, system } = process.cpuUsage(before);
    if (pass >= 0) micros.push((user + system) / answers);
  }
  return { name, bytes: bytes.length, micros };
}

function sift(sieve: Sieve, bytes: Buffer): void {
  for (let from = 0; from < bytes.length; from += chunkBytes)
    sieve.pass(bytes.subarray(from, from + chunkBytes));
  if (sieve.end().state === 'fault') throw new Error('an answer was given up');
}

function asEvent(json: Buffer): Buffer {
  return Buffer.concat([Buffer.from('event: message\ndata: '), json, Buffer.from('\n\n')]);
}

function filterOf50Rules(): Shows {
  const policy: Policy = {
    hide: true,
    rules: Array.from({ length: ruleCount }, (_, index) => ({
      name: `rule-${index}`,
      scopes: [],
      tools: [`area${index}_*`],
      ...(index === ruleCount - 1 ? { when: '"eng" in principal.claims.groups' } : {}),
    })),
  };
  const filter = createListFilter(createJudge(policy));
  const principal: Principal = {
    issuer: 'https://login.example.com',
    subject: 'ada',
    clientId: 'bench',
    email: undefined,
    scopes: [],
    claims: { groups: ['eng'] },
    authorizationServer: 'bench',
    expiresAt: undefined,
  };
  const reader = { principal, route: { name: 'bench', access: 'required' } as Route };
  return (list, name) => filter.shows(list, name, reader);
}
