/** Who asks, signed: in a header, in `_meta` through a real bridge, checked with the keys that the gateway publishes. */
import { generateKeyPairSync } from 'node:crypto';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assertionsOf } from '../../docs/snippets/verify-assertion.ts';
import { startBridge } from '../support/bridge.ts';
import { startGateway } from '../support/gateway.ts';
import { startIssuer } from '../support/issuer.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { hasPyJwt, startPythonUpstream } from '../support/python-upstream.ts';
import { ask, json, only, startWorld, toolCall, type World } from './world.ts';

const jwks = '/.well-known/portcullis/jwks.json';
const pem = { type: 'pkcs8', format: 'pem' } as const;
const mintKey = (): string => generateKeyPairSync('ed25519').privateKey.export(pem).toString();
const keyPage = async (at: string): Promise<{ keys: Record<string, unknown>[] }> =>
  (await (await fetch(`${at}${jwks}`)).json()) as { keys: Record<string, unknown>[] };

const start = 1_800_000_000_000;
let now = start;
let world: World;
let token: string;

beforeAll(async () => {
  world = await startWorld({
    clock: () => now,
    issuerOptions: { now: () => Math.floor(start / 1000) },
    route: 'identity: { claims: { X-Auth-Groups: groups }, assertion: { meta: true, ttl: 60s } }',
  });
  token = world.issuer.token({
    claims: { email: 'alice@example.com', groups: ['eng'], exp: start / 1000 + 900 },
  });
});

afterAll(() => world[Symbol.asyncDispose]());

/** The assertion of the newest request at the upstream. */
function sent(): string {
  const [assertion = '', ...others] = world.upstream.requests.at(-1)?.header('x-auth-assertion') ?? [];
  expect(others).toEqual([]);
  return assertion;
}

describe('the assertion in the header (N3)', () => {
  it('tells the upstream who asks, on every method, and is signed with a published key', async () => {
    for (const method of ['POST', 'GET', 'DELETE']) {
      await world.ask({ method, token });
      const { keys } = await keyPage(world.gateway.url);
      expect(decodeProtectedHeader(sent())).toEqual({ alg: 'ES256', typ: 'JWT', kid: keys[0]?.['kid'] });
      expect(decodeJwt(sent())).toEqual({
        iss: world.gateway.url,
        aud: world.upstream.url,
        sub: 'alice',
        sub_id: { format: 'iss_sub', iss: world.issuer.url, sub: 'alice' },
        client_id: 'test-client',
        scope: 'mcp:use',
        email: 'alice@example.com',
        claims: { groups: ['eng'] },
        iat: Math.floor(now / 1000),
        exp: Math.floor(now / 1000) + 60,
      });
    }
  });

  it('is the same until half of its time is over, and another for another token', async () => {
    await world.ask({ token });
    const first = sent();
    now += 29_999;
    await world.ask({ token });
    expect(sent()).toBe(first);
    now += 1;
    await world.ask({ token });
    expect(sent()).not.toBe(first);
    await world.ask({ token: world.issuer.token({ claims: { sub: 'bob', exp: start / 1000 + 900 } }) });
    expect(decodeJwt(sent()).sub).toBe('bob');
  });

  it('shows in no log and no audit event', async () => {
    await world.ask({ token });
    const [, payload = 'none'] = sent().split('.');
    expect(world.gateway.written).not.toContain(payload);
  });
});

describe('the assertion in _meta (N4)', () => {
  it('is put into requests, each of a batch too, and nothing else of the bytes changes', async () => {
    const bodies = [
      [
        '{"jsonrpc":"2.0","id":1,"method":"ping"}',
        '{"params":{"_meta":{M}},"jsonrpc":"2.0","id":1,"method":"ping"}',
      ],
      [
        '{ "method":"tools/call", "params": {"name":"é\\u0041", "arguments":{"n":1.0, "_meta":{}}, "_meta":{ "progressToken":1 }}, "id":"a", "jsonrpc":"2.0" }',
        '{ "method":"tools/call", "params": {"name":"é\\u0041", "arguments":{"n":1.0, "_meta":{}}, "_meta":{M, "progressToken":1 }}, "id":"a", "jsonrpc":"2.0" }',
      ],
      [
        '[{"jsonrpc":"2.0","id":1,"method":"ping"}, {"jsonrpc":"2.0","method":"notifications/x"}]',
        '[{"params":{"_meta":{M}},"jsonrpc":"2.0","id":1,"method":"ping"}, {"jsonrpc":"2.0","method":"notifications/x"}]',
      ],
      ['{"jsonrpc":"2.0","method":"notifications/x"}', '{"jsonrpc":"2.0","method":"notifications/x"}'],
      ['{"jsonrpc":"2.0","id":1,"result":{}}', '{"jsonrpc":"2.0","id":1,"result":{}}'],
    ] as const;
    for (const [body, expected] of bodies) {
      expect((await world.ask({ token, body })).status).toBeLessThan(300);
      const request = world.upstream.requests.at(-1);
      expect(request?.body.toString()).toBe(
        expected.replaceAll('M', `"io.portcullis/assertion":"${sent()}"`),
      );
      expect(request?.header('content-length')).toEqual([String(request?.body.length)]);
    }
  });

  it('refuses a request that has no place for it', async () => {
    const before = world.upstream.requests.length;
    for (const params of ['[]', 'null', '{"_meta":"x"}']) {
      const answer = await world.ask({
        token,
        body: `{"jsonrpc":"2.0","id":5,"method":"x","params":${params}}`,
      });
      expect([answer.status, json(answer)]).toMatchObject([400, { id: 5, error: { code: -32600 } }]);
    }
    expect(world.upstream.requests).toHaveLength(before);
  });
});

describe('the published keys (N3)', () => {
  it('are for anyone, from any origin, by GET and HEAD alone, without their private part', async () => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await world.ask({ method, target: jwks, headers: [['Origin', 'https://a.example']] });
      expect(answer.status).toBe(200);
      expect(only(answer, 'content-type')).toBe('application/json; charset=utf-8');
      expect(only(answer, 'cache-control')).toBe('public, max-age=300');
      expect(only(answer, 'access-control-allow-origin')).toBe('*');
    }
    const { keys } = await keyPage(world.gateway.url);
    expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
    ]);
    expect((await world.ask({ target: jwks, token })).status).toBe(404);
  });

  it('overlap at a rotation: what the old key signed is valid beside the new one, and not without it', async () => {
    await using issuer = await startIssuer({ audience: 'a', algorithms: ['ES256'] });
    const port = await reserveFreePort();
    const environment = { OLD: mintKey(), NEW: mintKey() };
    const gatewayWith = (signing: string): ReturnType<typeof startGateway> =>
      startGateway(
        `authorizationServers: [{ issuer: '${issuer.url}', audiences: [a] }]
routes: [{ path: /mcp, identity: { assertion: {} }, upstream: '${world.upstream.url}' }]
${signing}
`,
        { port, environment },
      );
    const verdict = async (assertion: string): Promise<string> => {
      const whoAsks = assertionsOf(`http://localhost:${port}`, world.upstream.url);
      return whoAsks(assertion).then(
        ({ sub }) => String(sub),
        (error: unknown) => (error as { code: string }).code,
      );
    };
    const signed: string[] = [];
    const phases = [
      ['signing: { key: { env: OLD }, next: { env: NEW } }', ['alice']],
      ['signing: { key: { env: NEW }, previous: [{ env: OLD }] }', ['alice', 'alice']],
      ['signing: { key: { env: NEW } }', ['ERR_JWKS_NO_MATCHING_KEY', 'alice', 'alice']],
    ] as const;
    for (const [signing, expected] of phases) {
      await using gateway = await gatewayWith(signing);
      expect((await ask(port, { token: issuer.token() })).status).toBe(200);
      signed.push(sent());
      expect(await Promise.all(signed.map(verdict))).toEqual(expected);
      expect(gateway.log.some(({ msg }) => String(msg).startsWith('signing.key is not set'))).toBe(false);
    }
  });

  it('of the process outlive a reload', async () => {
    await using issuer = await startIssuer({ audience: 'a', algorithms: ['ES256'] });
    const yaml = (more: string): string =>
      `authorizationServers: [{ issuer: '${issuer.url}', audiences: [a] }]
routes:
  - { path: /mcp, identity: { assertion: {} }, upstream: '${world.upstream.url}' }${more}
`;
    await using gateway = await startGateway(yaml(''));
    expect((await ask(gateway.port, { token: issuer.token() })).status).toBe(200);
    const before = sent();
    await gateway.reload(yaml(`\n  - { path: /more, upstream: '${world.upstream.url}' }`));
    const whoAsks = assertionsOf(gateway.url, world.upstream.url);
    expect(await whoAsks(before)).toMatchObject({ sub: 'alice' });
    expect((await ask(gateway.port, { token: issuer.token() })).status).toBe(200);
    expect(decodeProtectedHeader(sent())).toEqual(decodeProtectedHeader(before));
  });

  it('are not there where nothing is signed, and the start says whose they are', async () => {
    await using plain = await startWorld();
    expect((await plain.ask({ method: 'GET', target: jwks })).status).toBe(404);
    const says = (log: World['gateway']['log']): boolean =>
      log.some(({ msg }) => String(msg).startsWith('signing.key is not set'));
    expect([says(plain.gateway.log), says(world.gateway.log)]).toEqual([false, true]);
    expect(world.gateway.log).toContainEqual(expect.objectContaining({ assertion: 'header and _meta' }));
  });
});

describe('a server that checks who asks', () => {
  it('finds the subject in _meta, as a tool of a stdio server behind supergateway (N4)', async () => {
    const [port, bridgePort] = [await reserveFreePort(), await reserveFreePort()];
    const env = { GATEWAY: `http://localhost:${port}`, SERVER: `http://localhost:${bridgePort}/mcp` };
    await using bridge = await startBridge({ server: 'signed', port: bridgePort, env });
    await using issuer = await startIssuer({ audience: 'a', algorithms: ['ES256'] });
    await using gateway = await startGateway(
      `authorizationServers: [{ issuer: '${issuer.url}', audiences: [a] }]
routes: [{ path: /mcp, identity: { assertion: { meta: true } }, upstream: '${bridge.url}' }]
`,
      { port },
    );
    for (const sub of ['ada', 'grace']) {
      const headers = { authorization: `Bearer ${issuer.token({ claims: { sub } })}` };
      const client = new Client({ name: 'assertion', version: '1.0.0' });
      const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), {
        requestInit: { headers },
      });
      await client.connect(transport as Transport);
      const forged = { 'io.portcullis/assertion': 'forged' };
      expect(await client.callTool({ name: 'whoami', _meta: forged })).toMatchObject({
        content: [{ type: 'text', text: sub }],
      });
      await transport.terminateSession();
      await client.close();
    }
  });

  it('reads it with jose, and refuses another server’s (N3)', async () => {
    now = Date.now();
    const iat = Math.floor(now / 1000);
    const fresh = world.issuer.token({ claims: { iat, exp: iat + 900 } });
    expect((await world.ask({ token: fresh })).status).toBe(200);
    expect(await assertionsOf(world.gateway.url, world.upstream.url)(sent())).toMatchObject({ sub: 'alice' });
    await expect(assertionsOf(world.gateway.url, 'http://other/mcp')(sent())).rejects.toThrow('"aud"');
  });

  const title = 'reads it with PyJWT, and refuses another server’s (N3)';
  it.skipIf(!hasPyJwt())(`${title}${hasPyJwt() ? '' : ' (skipped: python3 has no PyJWT)'}`, async () => {
    const port = await reserveFreePort();
    await using python = await startPythonUpstream(`http://localhost:${port}`);
    await using issuer = await startIssuer({ audience: 'a', algorithms: ['ES256'] });
    await using gateway = await startGateway(
      `authorizationServers: [{ issuer: '${issuer.url}', audiences: [a] }]
signing: { key: { env: KEY } }
routes:
  - { path: /mcp, identity: { assertion: {} }, upstream: '${python.url}' }
  - { path: /other, identity: { assertion: {} }, upstream: { url: '${python.url}', resource: 'https://other.example/mcp' } }
`,
      { port, environment: { KEY: mintKey() } },
    );
    const answers = await Promise.all(
      ['/mcp', '/other'].map(async (target) =>
        json(await ask(gateway.port, { target, token: issuer.token(), body: toolCall() })),
      ),
    );
    expect(answers).toMatchObject([
      { result: { sub: 'alice', sub_id: { iss: issuer.url } } },
      { error: { message: expect.stringMatching(/audience/i) } },
    ]);
  });
});
