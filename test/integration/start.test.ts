/** What the gateway says and does at its start, and that nothing starts half. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fp from 'fastify-plugin';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';
import { createGateway, routeStages } from '../../src/gateway.ts';
import { startIssuer } from '../support/issuer.ts';
import { listenOnLoopback, reserveFreePort } from '../support/loopback.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { startGateway } from '../support/gateway.ts';
import { ask, exposition, json, only, startWorld, toolCall } from './world.ts';
import { program } from '../support/program.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-start-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function serve(yaml: string): Promise<Ended> {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, yaml);
  const child = spawn(process.execPath, [program, 'serve', '--config', file], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '' },
    timeout: 15_000,
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

describe('C1 a file with mistakes', () => {
  it('ends the command with 78 and every mistake in its line, before any port is opened (C1, E-003)', async () => {
    // Both ports are taken: a gateway that opened one first would trip over that instead.
    await using parts = new AsyncDisposableStack();
    const taken = parts.adopt(createServer(), (server) => void server.close());
    const other = parts.adopt(createServer(), (server) => void server.close());
    const [port, opsPort] = [await listenOnLoopback(taken as never), await listenOnLoopback(other as never)];
    let connections = 0;
    for (const server of [taken, other]) server.on('connection', () => (connections += 1));
    const { code, out, err } = await serve(`publicUrl: http://mcp.example.com
listen: { host: 127.0.0.1, port: ${port} }
ops: { host: 127.0.0.1, port: ${opsPort} }
authorizationServers:
  - issuer: https://login.example.com/realms/corp
    algorithms: [HS256]
routes:
  - path: /mcp
    acess: open
    scopes: ['a b']
    upstream: { url: 'http://localhost:8000/mcp', timeouts: { headers: 15 } }
`);
    expect(code).toBe(78);
    expect(out).toBe('');
    const faults = err.split('\n').filter((line) => /^\S+:\d+:\d+ {2}/.test(line));
    expect(
      faults.map((line) => /:(\d+):\d+ {2}(\S+): found .+, expected .+$/.exec(line)?.slice(1, 3)),
    ).toEqual([
      ['1', 'publicUrl'],
      ['6', 'authorizationServers[0].algorithms[0]'],
      ['9', 'routes[0].acess'],
      ['10', 'routes[0].scopes[0]'],
      ['11', 'routes[0].upstream.timeouts.headers'],
    ]);
    expect(connections).toBe(0);
  });

  it('that is whole trips over the taken port instead: the ports above were really asked for (C1)', async () => {
    await using parts = new AsyncDisposableStack();
    const taken = parts.adopt(createServer(), (server) => void server.close());
    const port = await listenOnLoopback(taken as never);
    const { code, err } = await serve(`publicUrl: https://mcp.example.com
listen: { host: 127.0.0.1, port: ${port} }
ops: { host: 127.0.0.1, port: ${await reserveFreePort()} }
routes: [{ path: /mcp, access: open, upstream: 'http://localhost:8000/mcp' }]
`);
    expect([code, err.includes(`port ${port} is taken`)]).toEqual([1, true]);
  });
});

it('the start names every route, protected or open, and its authorization servers; the metric too; nothing goes elsewhere (C4)', async () => {
  await using issuer = await startIssuer({ path: '/realms/corp', algorithms: ['ES256'] });
  await using upstream = await startRecordingUpstream();
  const asked: string[] = [];
  await using gateway = await startGateway(
    `
authorizationServers: [{ name: corp, issuer: '${issuer.url}' }]
routes:
  - { name: tools, path: /tools, upstream: '${upstream.url}' }
  - { name: docs, path: /docs, access: open, upstream: '${upstream.url}', policy: [{ name: all }, { name: few, tools: [x] }] }
`,
    {
      fetch: (url, init) => {
        asked.push(new URL(url).origin);
        return fetch(url, init);
      },
    },
  );
  const about = (route: string) => gateway.log.filter((line) => line['route'] === route);
  expect(about('docs')).toMatchObject([{ level: 'warn', access: 'open' }]);
  expect(about('docs')[0]?.['msg']).toMatch(/open/i);
  expect(gateway.log).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      setting: 'routes[1].policy[1]',
      msg: expect.stringContaining('decides nothing') as string,
    }),
  );
  expect(about('tools')).toMatchObject([
    { level: 'info', access: 'required', authorizationServers: ['corp'] },
  ]);
  expect(gateway.log).toContainEqual(
    expect.objectContaining({ authorizationServer: 'corp', issuers: [issuer.url] }),
  );
  const lines = await exposition(gateway);
  expect(lines).toContain(
    'portcullis_route_info{route="tools",access="required",authorization_servers="corp"} 1',
  );
  expect(lines).toContain('portcullis_route_info{route="docs",access="open",authorization_servers=""} 1');
  expect(lines.find((line) => line.startsWith('portcullis_info{'))).toMatch(/version="\d.*" *.*\} 1$/);
  expect(lines).toContain('portcullis_weakened_setting{setting="routes[1].access"} 1');
  expect(new Set(asked)).toEqual(new Set([issuer.origin]));
  expect(upstream.connections.every(({ bytes }) => bytes.length === 0)).toBe(true);
});

describe('C5 readiness', () => {
  const yaml = (issuer: string, upstream: string, keys: string) => `
authorizationServers: [{ name: corp, issuer: '${issuer}', keys: ${keys} }]
routes: [{ name: tools, path: /mcp, upstream: '${upstream}' }]
`;

  it('flips from 503 to 200 once every authorization server answered, without a restart (C5)', async () => {
    await using issuer = await startIssuer({ algorithms: ['ES256'] });
    await using upstream = await startRecordingUpstream();
    const answered = Promise.withResolvers<void>();
    issuer.behave(issuer.paths.jwks, async (_request, response) => {
      await answered.promise;
      response.end(JSON.stringify({ keys: issuer.keys.map((key) => key.publicJwk) }));
    });
    await using gateway = await startGateway(yaml(issuer.url, upstream.url, '{}'), { when: 'listening' });
    const token = issuer.token({ claims: { aud: `${gateway.url}/mcp` } });
    const readiness = async () => (await fetch(`${gateway.opsUrl}/readyz`)).status;
    expect(await readiness()).toBe(503);
    for (const request of [{ token }, {}, { token, method: 'GET' }]) {
      const response = await ask(gateway.port, request);
      expect([response.status, json(response)]).toMatchObject([503, { error: { code: 50300 } }]);
      expect(Number(only(response, 'retry-after'))).toBeGreaterThan(0);
    }
    expect((await fetch(`${gateway.opsUrl}/healthz`)).status).toBe(200);
    expect(upstream.requests).toHaveLength(0);
    answered.resolve();
    await expect.poll(readiness).toBe(200);
    expect((await ask(gateway.port, { token })).status).toBe(200);
  });

  it('comes with the time-out of a server that stays silent, which is a warning; its tokens work once it wakes up (C5)', async () => {
    await using issuer = await startIssuer({ algorithms: ['ES256'] });
    await using upstream = await startRecordingUpstream();
    for (const path of Object.values(issuer.paths)) issuer.behave(path, 'hang');
    const keys = '{ timeout: 200ms, cooldown: 200ms }';
    const began = performance.now();
    await using gateway = await startGateway(yaml(issuer.url, upstream.url, keys));
    expect(performance.now() - began).toBeLessThan(3_000);
    expect((await fetch(`${gateway.opsUrl}/readyz`)).status).toBe(200);
    expect(gateway.log).toContainEqual(
      expect.objectContaining({ level: 'warn', authorizationServer: 'corp', outcome: 'timeout' }),
    );
    const token = issuer.token({ claims: { aud: `${gateway.url}/mcp` } });
    expect((await ask(gateway.port, { token })).status).toBe(503);
    for (const path of Object.values(issuer.paths)) issuer.behave(path, 'normal');
    await expect.poll(async () => (await ask(gateway.port, { token })).status, { timeout: 5_000 }).toBe(200);
  });

  it('does not wait for an upstream: a dead one is a warning, and its calls are 502 until it lives (C5)', async () => {
    await using issuer = await startIssuer({ algorithms: ['ES256'] });
    const port = await reserveFreePort();
    await using gateway = await startGateway(yaml(issuer.url, `http://localhost:${port}/mcp`, '{}'));
    await expect
      .poll(() => gateway.log)
      .toContainEqual(expect.objectContaining({ level: 'warn', route: 'tools', reason: 'ECONNREFUSED' }));
    const token = issuer.token({ claims: { aud: `${gateway.url}/mcp` } });
    expect((await ask(gateway.port, { token })).status).toBe(502);
    await using upstream = await startRecordingUpstream({ port });
    expect((await ask(gateway.port, { token })).status).toBe(200);
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('C6 a stage that is missing', () => {
  interface Scope {
    decorate(name: string, value: unknown): void;
    decorateRequest(name: string, value: unknown): void;
  }

  /** Has the name of a stage and what others look for in it, and does nothing. */
  const nothing = (name: string, decorate: (scope: Scope) => void = () => {}) =>
    fp(
      (scope: Scope, _options: unknown, done: () => void) => {
        decorate(scope);
        done();
      },
      { name },
    ) as never;
  const noIdentity = nothing('identity', (scope) => scope.decorateRequest('upstreamHeaders', null));
  const noPolicy = nothing('policy', (scope) => {
    scope.decorateRequest('decision', null);
    scope.decorateRequest('answerFilter', null);
  });
  const pretender = nothing('token', (scope) => scope.decorate('checksTokens', true));

  async function gatewayWithout(stages: Partial<typeof routeStages>) {
    const issuer = await startIssuer({ algorithms: ['ES256'] });
    const upstream = await startRecordingUpstream();
    const port = await reserveFreePort();
    const yaml = `publicUrl: http://localhost:${port}
listen: { host: 127.0.0.1, port: ${port} }
ops: { host: 127.0.0.1, port: 0 }
authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ name: guarded-tools, path: /mcp, upstream: '${upstream.url}' }]
`;
    const loaded = loadConfiguration(yaml, { file: 'test.yaml', environment: {}, readFile: () => '' });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
    const log: string[] = [];
    const logSink = { write: (line: string) => void log.push(line) };
    const gateway = createGateway(
      loaded.configuration,
      { logSink, auditSink: { write: () => {} } },
      { ...routeStages, ...stages },
    );
    const token = issuer.token({ claims: { aud: `http://localhost:${port}/mcp` } });
    return {
      gateway,
      port,
      token,
      upstream,
      async [Symbol.asyncDispose]() {
        await Promise.allSettled([gateway.close(), upstream.close(), issuer.close()]);
      },
    };
  }

  it.each(['token', 'nameless token'])(
    'for tokens makes the start fail, and the route is named: %s (C6)',
    async (kind) => {
      const stage =
        kind === 'token'
          ? nothing('token')
          : (fp((_scope: unknown, _options: unknown, done: () => void) => done()) as never);
      const world = await gatewayWithout({ token: stage, mcp: nothing('mcp') });
      await using running = world;
      await expect(running.gateway.start()).rejects.toThrow('guarded-tools');
      await expect(ask(running.port)).rejects.toThrow('ECONNREFUSED');
      expect(running.upstream.requests).toHaveLength(0);
    },
  );

  it.each([
    ['routes', { routes: nothing('routes') }],
    ['mcp', { mcp: nothing('mcp') }],
    ['mcp and identity', { mcp: nothing('mcp'), identity: noIdentity }],
    ['policy', { policy: noPolicy }],
    ['policy and identity', { policy: noPolicy, identity: noIdentity }],
    ['sessions', { sessions: nothing('sessions', (scope) => scope.decorateRequest('session', null)) }],
    ['token, by a pretender', { token: pretender }],
  ])(
    'in between leaves the forwarder without its proof: nothing reaches the upstream (%s) (C6)',
    async (_name, stages) => {
      await using world = await gatewayWithout(stages as Partial<typeof routeStages>);
      await world.gateway.start();
      await world.gateway.ready;
      for (const token of [world.token, undefined]) {
        for (const method of ['POST', 'GET', 'DELETE']) {
          const response = await ask(world.port, { method, ...(token === undefined ? {} : { token }) });
          expect(response.status).toBeGreaterThanOrEqual(400);
        }
      }
      const sent = Buffer.concat(world.upstream.connections.map(({ bytes }) => bytes));
      expect(sent.length).toBe(0);
    },
  );

  it('is what the tests above are about: with all stages the token passes (C6)', async () => {
    await using world = await gatewayWithout({});
    await world.gateway.start();
    await world.gateway.ready;
    expect((await ask(world.port, { token: world.token })).status).toBe(200);
  });
});

describe('C7 public URLs', () => {
  it('are the configuration’s: no spoofed header changes a byte of metadata, challenge or upstream target (C7)', async () => {
    const evil = 'evil.example';
    await using world = await startWorld({
      top: `hosts: [localhost, ${evil}]`,
      yaml: ({ issuer, upstream, publicUrl }) => `
publicUrl: ${publicUrl}
hosts: [localhost, ${evil}]
listen: { host: 127.0.0.1, port: ${new URL(publicUrl).port}, trustProxy: [127.0.0.1] }
authorizationServers: [{ issuer: '${issuer.url}' }]
routes: [{ path: /mcp, upstream: '${upstream.url}?fixed=1' }]
`,
    });
    const token = world.issuer.token();
    const spoofed = [
      ['Host', evil],
      ['X-Forwarded-Host', evil],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Port', '666'],
      ['X-Forwarded-Prefix', '/evil'],
      ['X-Original-URL', '/evil'],
      ['X-Rewrite-URL', '/evil'],
      ['Forwarded', `for=1.2.3.4;host=${evil};proto=https`],
      ['X-Forwarded-For', '1.2.3.4'],
    ] as const;
    const metadataUrl = '/.well-known/oauth-protected-resource/mcp';
    for (const headers of [...spoofed.map((line) => [line]), spoofed]) {
      const honest = await world.ask({ method: 'GET', target: metadataUrl });
      const metadata = await world.ask({ method: 'GET', target: metadataUrl, headers });
      expect(metadata.body.toString()).toBe(honest.body.toString());
      const challenge = await world.ask({ headers });
      expect(challenge.header('www-authenticate')).toEqual((await world.ask()).header('www-authenticate'));
      expect((await world.ask({ token, headers, target: '/mcp?evil=1' })).status).toBe(200);
    }
    expect(world.upstream.requests.length).toBe(spoofed.length + 1);
    for (const request of world.upstream.requests) {
      expect(request.target).toBe('/mcp?fixed=1');
      expect(request.header('host')).toEqual([`localhost:${world.upstream.port}`]);
    }
    expect(world.passed).not.toContain('evil');
  });

  it('do not come from a Host that the gateway does not know: it is 403 before anything else (C7)', async () => {
    await using world = await startWorld();
    const token = world.issuer.token();
    for (const target of ['/mcp', '/.well-known/oauth-protected-resource/mcp', '/nowhere']) {
      const response = await world.ask({ target, token, headers: [['Host', 'evil.example']] });
      expect([target, response.status]).toEqual([target, 403]);
      expect(JSON.stringify(response.headerLines)).not.toContain('evil');
    }
    const two = await world.ask({
      token,
      headers: [
        ['Host', 'localhost'],
        ['Host', 'evil.example'],
      ],
    });
    expect(two.status).toBe(400);
    expect(world.passed).toBe('');
  });

  it('lead nowhere else by an absolute target (C7)', async () => {
    await using world = await startWorld();
    const token = world.issuer.token();
    for (const target of ['http://evil.example/mcp', `${world.gateway.url}/mcp`, '//evil.example/mcp', '*']) {
      const response = await world.ask({ target, token, body: toolCall() });
      expect([target, response.status]).not.toEqual([target, 200]);
    }
    expect(world.passed).toBe('');
  });
});
