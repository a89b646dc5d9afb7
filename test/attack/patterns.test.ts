/** Patterns of the operator, and texts of strangers that make matching slow (attack catalogue D-021). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';
import { mark } from '../support/invariants.ts';
import { startScene, type Ask, type Scene } from './scene.ts';

/** A pattern that went back over its text would need years; one that grows with its square, longer than this. */
const boundMs = 250;

let scene: Scene;

beforeAll(async () => {
  const stars = `${'*a'.repeat(100)}*b`;
  scene = await startScene({
    routes: `routes:
  - name: tools
    path: /mcp
    upstream: '$upstream'
    policy:
      - { name: stars, tools: ['get_*', '${stars}'], resources: ['file:///*', '${stars}'] }
      - { name: matched, tools: [search], when: 'call.arguments.text.matches("^(a+)+$")' }
  - name: keyed
    path: /keyed
    upstream:
      url: '$upstream'
      credentials: { headers: [{ from: X-Key, to: X-Upstream-Key, pattern: '[a-z]+[0-9]+[A-Z]*' }] }
`,
  });
});
afterAll(() => scene.close());

/** The least of three, so that nobody else's work on this machine counts: the status and this process's time. */
async function least(ask: Ask): Promise<{ readonly status: number; readonly cpuMs: number }> {
  const tries: { readonly status: number; readonly cpuMs: number }[] = [];
  while (tries.length < 3 && !tries.some(({ cpuMs }) => cpuMs < boundMs)) {
    const before = process.cpuUsage();
    const { status } = await scene.ask(ask);
    const { user, system } = process.cpuUsage(before);
    tries.push({ status, cpuMs: (user + system) / 1000 });
  }
  return tries.toSorted((one, other) => one.cpuMs - other.cpuMs)[0] ?? { status: 0, cpuMs: Infinity };
}

const call = (method: string, params: object): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

function faultOf(route: string): unknown {
  const text = `publicUrl: https://mcp.example.com
authorizationServers: [{ name: corp, issuer: https://login.example.com }]
routes: [{ ${route} }]
`;
  const loaded = loadConfiguration(text, { file: 'x.yaml', environment: {}, readFile: () => '' });
  return loaded.ok ? undefined : loaded.faults.map(({ path }) => path);
}

describe('a pattern that could take long', () => {
  const slow = ['(a+)+$', '(a|a)*b', '(?=a+)a+', 'a*a*a*b', '[a-z]+[a-z]+[a-z]+', '(a)\\\\1', '.*.*.*x'];

  it.each(slow)('is a fault where a client’s text would be matched: %s (D-021)', (pattern) => {
    const tenants = `path: '/{tenant}/mcp', tenant: { pattern: "${pattern}", issuer: 'https://login.example.com/{tenant}' }, upstream: http://b`;
    expect(faultOf(tenants)).toEqual(['routes[0].tenant.pattern']);
    const header = `{ from: X-Key, to: X-Upstream-Key, pattern: "${pattern}" }`;
    const keyed = `path: /mcp, upstream: { url: http://b, credentials: { headers: [${header}] } }`;
    expect(faultOf(keyed)).toEqual(['routes[0].upstream.credentials.headers[0].pattern']);
  });

  it('can’t be written by a client: a condition’s pattern is the file’s, and has neither lookahead nor back reference (D-021)', () => {
    for (const condition of [
      'call.tool.matches(call.arguments.pattern)',
      'call.tool.matches("(?=a+)a")',
      'call.tool.matches("(a)\\\\1")',
    ])
      expect(faultOf(`path: /mcp, upstream: http://b, policy: [{ name: a, when: '${condition}' }]`)).toEqual([
        'routes[0].policy[0].when',
      ]);
  });
});

describe('a text that is made for a pattern', () => {
  const many = 'a'.repeat(2_040);

  it.each([
    ['a tool', call('tools/call', { name: many })],
    ['a tool of a megabyte', call('tools/call', { name: 'a'.repeat(1_000_000) })],
    ['a resource', call('resources/read', { uri: `file:/${many}` })],
    ['a resource of dots', call('resources/read', { uri: `file:///${'../'.repeat(600)}` })],
    ['a resource of percent signs', call('resources/read', { uri: `file:/${'%2e'.repeat(600)}` })],
    ['a method', call(many, {})],
    ['an argument', call('tools/call', { name: 'search', arguments: { text: `${many}!` } })],
    [
      'an argument of a megabyte',
      call('tools/call', { name: 'search', arguments: { text: 'a'.repeat(1e6) } }),
    ],
  ])('is refused in no time: %s (D-021)', async (_what, body) => {
    const token = scene.token({ key: 'ES256' });
    const before = await mark(scene);
    const asked = scene.asked;
    const { status, cpuMs } = await least({ token, body });
    expect(status).toBeGreaterThanOrEqual(200);
    expect(status).toBeLessThan(500);
    expect(cpuMs).toBeLessThan(boundMs);
    await before.hold({ forwarded: 0, requests: scene.asked - asked });
  });

  it('is refused in no time where a header is matched (D-021)', async () => {
    const token = scene.token({ key: 'ES256', claims: { aud: scene.resource('/keyed') } });
    for (const value of ['a'.repeat(8_000), `${'a'.repeat(4_000)}${'1'.repeat(4_000)}!`]) {
      const { status, cpuMs } = await least({ token, target: '/keyed', lines: [`X-Key: ${value}`] });
      expect(status).toBe(403);
      expect(cpuMs).toBeLessThan(boundMs);
    }
  });

  it.each([
    ['Content-Type', 'application/json'],
    ['Accept', 'text/event-stream'],
    ['Authorization', 'Bearer'],
    ['Origin', 'https://'],
    ['Forwarded', 'for='],
    ['X-Forwarded-For', '1.2.3.4'],
    ['traceparent', '00-'],
    ['Mcp-Session-Id', 's'],
    ['Mcp-Name', '=?base64?'],
    ['Connection', 'close'],
  ])('is read in no time in %s, whatever it is filled with (D-021)', async (name, begin) => {
    for (const filling of [' ', '\t', ',', ';', '=', ';a=', '"', '\\"', '%', '%2', '.', '/', 'a', ':']) {
      const value = `${begin}${filling.repeat(Math.floor(12_000 / filling.length))}x`;
      const lines = [`${name}: ${value}`, ...(name === 'Content-Type' ? ['Content-Length: 0'] : [])];
      const { status, cpuMs } = await least({ body: null, lines });
      expect([filling, status >= 400 && status < 500]).toEqual([filling, true]);
      expect(cpuMs, `${name} filled with ${JSON.stringify(filling)}`).toBeLessThan(boundMs);
    }
  });

  it('is read in no time as a target (D-021)', async () => {
    for (const filling of ['/', '//', '/.', '/..', '%', '%2f', '%25', '?', '&', '=', ';', '#', '@', '\\']) {
      const target = `/mcp${filling.repeat(Math.floor(12_000 / filling.length))}x`;
      const { status, cpuMs } = await least({ method: 'GET', target });
      expect([filling, status >= 400 && status < 500]).toEqual([filling, true]);
      expect(cpuMs, `filled with ${filling}`).toBeLessThan(boundMs);
    }
  });
});

it('a pattern stands for the whole text: what is before or after it isn’t admitted (D-021)', async () => {
  const token = scene.token({ key: 'ES256' });
  const before = await mark(scene);
  const statuses: number[] = [];
  for (const name of ['get_a', 'xget_a', 'forget_', 'Get_a', 'get', '\nget_a'])
    statuses.push((await scene.ask({ token, body: call('tools/call', { name }) })).status);
  expect(statuses[0]).toBe(200);
  await before.hold({
    forwarded: 1,
    reasons: ['ok', 'call_denied', 'call_denied', 'call_denied', 'call_denied', 'call_denied'],
  });
});
