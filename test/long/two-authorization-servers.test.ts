/**
 * Two authorization servers under load, one of them rotated, stopped, slowed, silent and back: no answer is
 * wrong, no good token gets 401, and the other one's users notice nothing (A12, A13, A-059 to A-062, D-001).
 *
 * `FAULT_RUN_SECONDS` repeats the faults for at least that long.
 */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { startIssuer } from '../support/issuer.ts';
import { closeServer, eventually, host, listenOnLoopback, reserveFreePort } from '../support/loopback.ts';
import { mintKey } from '../support/signing-key.ts';
import { Load, type Question } from '../fault/load.ts';
import { Subscribed } from '../fault/subscribed.ts';

const longForm = Number(process.env['FAULT_RUN_SECONDS'] ?? 0) * 1000;
const ttlMs = 2_000;
const cooldownMs = 1_000;
const maxStaleMs = 5_000;
/** What a busy machine may add to a time; nothing below is decided by less. */
const slackMs = 10_000;
const recoveryMs = cooldownMs + slackMs;
/** Between two faults: time for the retired tokens to be tried again. */
const calmMs = 600;

it(
  'under load, with one authorization server rotated, stopped, slowed, silent and back, no answer is wrong and the other one’s users notice nothing (A13, A-059, A-061, A-062)',
  { timeout: 90_000 + 2 * longForm },
  async () => {
    await using world = await startWorld();
    const { load, disturbed, startedAt } = world;
    do await disturb(world);
    while (performance.now() - startedAt < longForm);
    await load.end();

    expect(load.wrong.slice(0, 20)).toEqual([]);
    await expectOneDecisionForEach(world);
    await expectFewFetches(world);
    // The run would prove nothing without these.
    for (const kind of ['steady', 'steady, new', 'disturbed', 'disturbed, new'])
      expect(load.count(kind, 200), `answers to ${kind}`).toBeGreaterThan(20);
    expect(load.count('disturbed', 503)).toBeGreaterThan(0);
    expect(load.count('retired', 401)).toBeGreaterThan(0);
    expect(disturbed.generation).toBeGreaterThanOrEqual(5);
  },
);

/** All the faults once, each until its effect was seen. */
async function disturb({ load, disturbed }: World): Promise<void> {
  const { issuer } = disturbed;
  await sleep(calmMs);
  disturbed.rotate();
  await disturbed.servesNewest('rotated at once', recoveryMs);
  await sleep(calmMs);

  disturbed.overlap();
  await disturbed.servesNewest('rotated with an overlap', recoveryMs);
  disturbed.dropOthers();
  await sleep(calmMs);

  const before = unavailable(load);
  const stoppedAt = performance.now();
  await issuer.stop();
  await sleep(1_500);
  // Its keys are held and young enough: nobody notices that it is gone.
  if (performance.now() - stoppedAt < maxStaleMs - 1_000) expect(unavailable(load)).toBe(before);
  await issuer.restart();
  await sleep(calmMs);

  await issuer.stop();
  disturbed.rotate();
  const held = load.count('disturbed, new', 503);
  await eventually('new tokens are told to wait', () => load.count('disturbed, new', 503) > held, slackMs);
  await sleep(ttlMs + maxStaleMs);
  await issuer.restart();
  await disturbed.servesNewest('stopped past all patience, rotated meanwhile, and back', recoveryMs);
  await sleep(calmMs);

  issuer.behave(issuer.paths.jwks, { delayMs: 300 });
  disturbed.rotate();
  await disturbed.servesNewest('slow', recoveryMs);
  await sleep(calmMs);

  issuer.behave(issuer.paths.jwks, 'hang');
  disturbed.rotate();
  await sleep(1_500);
  issuer.behave(issuer.paths.jwks, { status: 500 });
  await sleep(1_000);
  issuer.behave(issuer.paths.jwks, 'normal');
  await disturbed.servesNewest('silent, broken, and back', recoveryMs);
  await sleep(calmMs);
}

function unavailable(load: Load): number {
  return load.count('disturbed', 503);
}

/** As many audit events as requests, and each allowed one under the name that asked. */
async function expectOneDecisionForEach({ gateway, load }: World): Promise<void> {
  await eventually('all audit events are written', () => gateway.audit.length >= load.asked);
  const events = gateway.audit;
  expect(events.length).toBe(load.asked);
  expect(new Set(events.map(({ requestId }) => requestId)).size).toBe(load.asked);
  const allowed = events.filter(({ decision }) => decision === 'allow');
  const subjects = allowed.map(({ principal }) => (principal as { subject: string }).subject);
  expect(subjects.toSorted()).toEqual(load.subjectsServed.toSorted());
  for (const [status, count] of countBy(events.map((event) => String(event.status)))) {
    const answered = sumOf(load.tally, (counted) => counted.endsWith(` ${status}`));
    expect(answered, `answers ${status}`).toBe(count);
  }
}

/** I7: one for each cool-down, whatever was asked; those that never arrived are counted by the gateway. */
async function expectFewFetches({ gateway, steady, disturbed, startedAt }: World): Promise<void> {
  const most = 1 + Math.floor((performance.now() - startedAt) / cooldownMs);
  const exposition = await (await fetch(`${gateway.opsUrl}/metrics`)).text();
  for (const { issuer, name } of [steady, disturbed]) {
    const series = new RegExp(`^portcullis_key_fetches_total\\{.*"${name}".*\\} (\\d+)$`, 'gm');
    const tried = [...exposition.matchAll(series)].reduce((sum, [, count]) => sum + Number(count), 0);
    expect(tried, `fetches of ${name}`).toBeGreaterThan(1);
    expect(tried, `fetches of ${name}`).toBeLessThanOrEqual(most);
    expect(issuer.hits(issuer.paths.jwks), `hits of ${name}`).toBeLessThanOrEqual(most);
  }
}

function countBy(values: readonly string[]): ReadonlyMap<string, number> {
  return new Map([...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length]));
}

function sumOf(counts: ReadonlyMap<string, number>, fits: (key: string) => boolean): number {
  return [...counts].reduce((sum, [key, count]) => sum + (fits(key) ? count : 0), 0);
}

interface World extends AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly steady: Subscribed;
  readonly disturbed: Subscribed;
  readonly load: Load;
  readonly startedAt: number;
}

async function startWorld(): Promise<World> {
  const startedAt = performance.now();
  const issuers = [
    await startIssuer({ algorithms: ['ES256'] }),
    await startIssuer({ algorithms: ['ES256'], path: '/realms/b', port: await reserveFreePort() }),
  ] as const;
  const upstream = await startEcho();
  const keys = `ttl: ${ttlMs}ms, cooldown: ${cooldownMs}ms`;
  const gateway = await startGateway(`authorizationServers:
  - { name: steady, issuer: '${issuers[0].url}', keys: { ${keys} } }
  - { name: disturbed, issuer: '${issuers[1].url}', keys: { ${keys}, maxStale: ${maxStaleMs}ms, timeout: 1s } }
routes: [{ path: /mcp, scopes: [mcp:use], upstream: '${upstream.url}' }]
`);
  const resource = `${gateway.url}/mcp`;
  const steady = new Subscribed({ name: 'steady', issuer: issuers[0], resource, statuses: [200] });
  const disturbed = new Subscribed({ name: 'disturbed', issuer: issuers[1], resource, statuses: [200, 503] });
  const load = new Load(gateway.url, { workers: 20, next: questions(steady, disturbed) });
  return {
    gateway,
    steady,
    disturbed,
    load,
    startedAt,
    async [Symbol.asyncDispose]() {
      await load[Symbol.asyncDispose]();
      await gateway.close();
      await Promise.all([upstream.close(), ...issuers.map((issuer) => issuer.close())]);
    },
  };
}

/** In turn: mostly good tokens, and every kind of bad one beside them. */
function questions(steady: Subscribed, disturbed: Subscribed): () => Question {
  const forged = (token: string): string => `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}`;
  const kinds: readonly (() => Question)[] = [
    () => steady.known(),
    () => disturbed.known(),
    () => disturbed.fresh(),
    () => steady.fresh(),
    () => disturbed.retired(),
    () => disturbed.known(),
    () => steady.known(),
    ...[steady, disturbed].flatMap((of) => [
      () => of.bad('forged', forged(of.token('mallory'))),
      () => of.bad('invented', of.token('mallory', { kid: crypto.randomUUID() })),
      () => of.bad('expired', of.expired()),
    ]),
    () => disturbed.bad('crossed', disturbed.token('mallory', {}, steady.issuer.key('ES256'))),
    () => steady.bad('crossed', steady.token('mallory', { kid: steady.issuer.key('ES256').kid }, mintedOnce)),
    () => ({ kind: 'nothing', subject: '', issuer: '', right: () => [401] }),
  ];
  let at = 0;
  return () => {
    const next = kinds[at % kinds.length];
    at += 1;
    if (next === undefined) throw new Error('there are kinds');
    return next();
  };
}

const mintedOnce = mintKey('ES256');

/** Tells each caller whom it was told of; keeps nothing, so that a long run stays small. */
async function startEcho(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { id } = JSON.parse(Buffer.concat(chunks).toString()) as { id: string };
      const { 'x-auth-subject': subject, 'x-auth-issuer': issuer } = request.headers;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { nonce: id, subject, issuer } }));
    });
  });
  const port = await listenOnLoopback(server);
  return { url: `http://${host}:${port}/mcp`, close: () => closeServer(server) };
}
