/** The gateway as a part of another program (rows S04, S09). */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import {
  ConfigurationError,
  createGateway,
  readConfiguration,
  type ConfigurationInput,
  type CredentialProvider,
  type Gateway,
  type GatewayOptions,
  type GivenState,
} from '../../src/index.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually, reserveFreePort } from '../support/loopback.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { ask, json, only, toolCall } from './world.ts';

let issuer: Issuer;
let upstream: RecordingUpstream;

beforeAll(async () => {
  issuer = await startIssuer({ algorithms: ['ES256'] });
  upstream = await startRecordingUpstream();
});
afterAll(() => Promise.all([issuer.close(), upstream.close()]));

const environment = { KEY: 'k3y' };

function configurationAt(port: number, route: object = {}): ConfigurationInput {
  return {
    publicUrl: `http://localhost:${port}`,
    listen: { host: '127.0.0.1', port },
    ops: { port: 0 },
    authorizationServers: [{ name: 'corp', issuer: issuer.url }],
    routes: [{ name: 'tools', path: '/mcp', upstream: { url: upstream.url }, ...route }],
  };
}

interface Kept extends GatewayOptions {
  readonly lines: string[];
}

function keepingLines(options: GatewayOptions = {}): Kept {
  const lines: string[] = [];
  const sink = { write: (line: string) => void lines.push(line) };
  return { environment, logSink: sink, auditSink: sink, ...options, lines };
}

const tokenFor = (port: number, claims: object = {}): string =>
  issuer.token({ claims: { aud: `http://localhost:${port}/mcp`, ...claims } });

describe('a program of another’s (S04)', () => {
  let port: number;
  let app: FastifyInstance;
  let gateway: Gateway;
  const bodies: unknown[] = [];

  beforeAll(async () => {
    port = await reserveFreePort();
    gateway = createGateway(configurationAt(port), keepingLines());
    app = fastify({ bodyLimit: 100 });
    app.post('/own', (request) => {
      bodies.push(request.body);
      return { own: true };
    });
    app.get('/.well-known/security.txt', () => 'Contact: mailto:security@example.com');
    app.setNotFoundHandler((_request, reply) => reply.code(404).send('no such page of the program'));
    await app.register(gateway.plugin);
    await app.listen({ port });
    await gateway.ready;
  });
  afterAll(() => app.close());

  it('keeps its own routes, its parser and its 404', async () => {
    const own = await fetch(`http://localhost:${port}/own`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    });
    expect([own.status, await own.json(), bodies]).toEqual([200, { own: true }, [{ a: 1 }]]);
    const text = async (path: string): Promise<string> =>
      (await fetch(`http://localhost:${port}${path}`)).text();
    expect(await text('/.well-known/security.txt')).toMatch(/^Contact/);
    expect(await text('/elsewhere')).toBe('no such page of the program');
    expect(await text('/mcp/below')).toBe('no such page of the program');
  });

  it('gets requests for the gateway answered by it: metadata, challenge, 405', async () => {
    const metadata = await fetch(`http://localhost:${port}/.well-known/oauth-protected-resource/mcp`);
    expect(await metadata.json()).toMatchObject({ resource: `http://localhost:${port}/mcp` });
    expect(metadata.headers.get('access-control-allow-origin')).toBe('*');
    const refused = await ask(port);
    expect(refused.status).toBe(401);
    expect(only(refused, 'www-authenticate')).toContain('resource_metadata=');
    const put = await ask(port, { method: 'PUT', token: tokenFor(port) });
    expect([put.status, only(put, 'allow')]).toEqual([405, 'GET, POST, DELETE']);
  });

  it('leaves the bytes of a message to the gateway, whatever its own limit', async () => {
    const body = toolCall(7, 'x'.repeat(2000));
    const { status } = await ask(port, { token: tokenFor(port), body });
    expect([status, upstream.requests.at(-1)?.body.toString()]).toEqual([200, body]);
    const slash = await ask(port, { token: tokenFor(port), target: '/mcp/' });
    expect(slash.status).toBe(200);
  });

  it('can read the metrics, and put another configuration in force', async () => {
    expect((await gateway.metrics()).text).toContain('portcullis_ready 1');
    const next = readConfiguration(configurationAt(port, { scopes: ['more'] }), { environment });
    expect(next.ok && (await gateway.reload(next.configuration))).toBe('applied');
    const refused = await ask(port, { token: tokenFor(port) });
    expect([refused.status, json(refused)]).toMatchObject([403, { error: { code: 40301 } }]);
  });

  it.each([{ ignoreTrailingSlash: true }, { ignoreTrailingSlash: false }])(
    'has both URLs of a route answered by the gateway, whatever its own router does: %j',
    async (routerOptions) => {
      const otherPort = await reserveFreePort();
      const other = fastify({ routerOptions });
      other.all('/*', () => 'a page of the program');
      const another = createGateway(configurationAt(otherPort), keepingLines());
      await other.register(another.plugin);
      await other.listen({ port: otherPort });
      await another.ready;
      const statuses: number[] = [];
      for (const target of ['/mcp', '/mcp/']) statuses.push((await ask(otherPort, { target })).status);
      expect(statuses).toEqual([401, 401]);
      await other.close();
    },
  );

  it('is told where it must not put it', async () => {
    const other = fastify();
    const another = createGateway(configurationAt(port), keepingLines());
    other.register(another.plugin, { prefix: '/below' });
    await expect(other.ready()).rejects.toThrow('register the gateway without a prefix');
    await other.close();
    await another.close();
  });
});

describe('a gateway from an object (S04)', () => {
  it('works by itself, with nothing but a configuration', async () => {
    const port = await reserveFreePort();
    const gateway = createGateway(
      configurationAt(port, {
        upstream: {
          url: upstream.url,
          credentials: { static: { header: 'X-Api-Key', value: { env: 'KEY' } } },
        },
      }),
      keepingLines(),
    );
    await gateway.start();
    await gateway.ready;
    expect((await ask(port, { token: tokenFor(port) })).status).toBe(200);
    expect(upstream.requests.at(-1)?.header('x-api-key')).toEqual(['k3y']);
    await gateway.close();
  });

  it('uses a state of the program’s', async () => {
    const port = await reserveFreePort();
    class Counting implements GivenState {
      readonly counted: string[] = [];

      rateOf({ name }: Parameters<NonNullable<GivenState['rateOf']>>[0]): { take(key: string): number } {
        return {
          take: (key) => {
            this.counted.push(`${name} ${key}`);
            return this.counted.length > 1 ? 1000 : 0;
          },
        };
      }
    }
    const state = new Counting();
    const gateway = createGateway(
      configurationAt(port, { rateLimit: { requests: 1, per: '1m' } }),
      keepingLines({ state }),
    );
    await gateway.start();
    await gateway.ready;
    const answers = [await ask(port, { token: tokenFor(port) }), await ask(port, { token: tokenFor(port) })];
    expect(answers.map(({ status }) => status)).toEqual([200, 429]);
    expect(state.counted).toHaveLength(2);
    await gateway.close();
  });

  it('says every fault of it at once, and which providers are missing (C1)', () => {
    const faulty = {
      publicUrl: 'ftp://x',
      routes: [{ path: 'mcp', upstream: { url: 'http://b', credentials: { provider: 'vault' } } }],
    };
    const attempt = (): unknown => createGateway(faulty as ConfigurationInput, keepingLines());
    expect(attempt).toThrow(ConfigurationError);
    expect(attempt).toThrow(/publicUrl[\s\S]*routes\[0\]\.path[\s\S]*credentials\.provider: found "vault"/);
  });

  it('takes a checked configuration, and refuses one whose provider is not there', () => {
    const route = { upstream: { url: upstream.url, credentials: { provider: 'vault' } } };
    const read = readConfiguration(configurationAt(1, route), { providers: ['vault'] });
    if (!read.ok) throw new Error('it has no fault');
    expect(() => createGateway(read.configuration, keepingLines())).toThrow("vault, which isn't injected");
    expect(readConfiguration('publicUrl: 7')).toMatchObject({ ok: false });
  });
});

describe('the end of a gateway (S09)', () => {
  const provider = (close: () => Promise<void>): CredentialProvider => ({
    credentialsFor: () => ({ ok: true, headers: [] }),
    close,
  });

  it('closes what was injected once each, one failure alone, and a second close does nothing', async () => {
    const closed: string[] = [];
    const closing = (name: string) => (): Promise<void> => {
      closed.push(name);
      return name === 'b' ? Promise.reject(new Error('b fails')) : Promise.resolve();
    };
    const shared = provider(closing('a'));
    const options = keepingLines({
      credentials: { a: shared, alias: shared, b: provider(closing('b')), c: provider(closing('c')) },
      state: { close: closing('state') },
    });
    const port = await reserveFreePort();
    const gateway = createGateway(
      configurationAt(port, { upstream: { url: upstream.url, credentials: { provider: 'a' } } }),
      options,
    );
    await gateway.start();
    await gateway.close();
    await gateway.close();
    expect(closed).toEqual(['a', 'b', 'c', 'state']);
    expect(options.lines.filter((line) => line.includes('b fails'))).toHaveLength(1);
  });

  it('keeps what was injected through a reload', async () => {
    const closed: string[] = [];
    const vault = provider(async () => void closed.push('vault'));
    const port = await reserveFreePort();
    const upstreamOf = { url: upstream.url, credentials: { provider: 'vault' } };
    const options = keepingLines({ credentials: { vault } });
    const gateway = createGateway(configurationAt(port, { upstream: upstreamOf }), options);
    await gateway.start();
    await gateway.ready;
    const next = readConfiguration(configurationAt(port, { name: 'other', upstream: upstreamOf }), {
      providers: ['vault'],
    });
    expect(next.ok && (await gateway.reload(next.configuration))).toBe('applied');
    expect((await ask(port, { token: tokenFor(port) })).status).toBe(200);
    expect(closed).toEqual([]);
    await gateway.close();
    expect(closed).toEqual(['vault']);
  });
});

it('the example runs as it is shown', async () => {
  const port = await reserveFreePort();
  vi.stubEnv('PORT', String(port)).stubEnv('ISSUER', issuer.url).stubEnv('UPSTREAM', upstream.url);
  const { app } = await import('../../docs/snippets/embedding.ts');
  vi.unstubAllEnvs();
  const page = await fetch(`http://localhost:${port}/`);
  expect(await page.text()).toBe('a page of the program');
  await eventually('an answer', async () => (await ask(port, { token: tokenFor(port) })).status === 200);
  expect(upstream.requests.at(-1)?.header('x-api-key')).toEqual(['key-of-alice']);
  await app.close();
});

it('a program that opens gateways and closes them over and over keeps none of them in memory (S04)', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const openAndClose = async (): Promise<WeakRef<object>> => {
    const options = keepingLines();
    const gateway = createGateway(configurationAt(1), options);
    await gateway.open();
    expect((await gateway.metrics()).text).toContain('nodejs_eventloop_lag_seconds');
    await gateway.close();
    return new WeakRef(options.lines);
  };
  const given: WeakRef<object>[] = [];
  for (let opened = 0; opened < 5; opened += 1) given.push(await openAndClose());
  await eventually('nothing holds them', () => {
    collect();
    return given.every((lines) => lines.deref() === undefined);
  });
});
