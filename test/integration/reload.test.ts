/** A new configuration takes the place of the old one while requests and streams are under way (O1, C5, D-017). */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventStream } from '../support/event-stream.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { ProofKey } from '../support/proof-key.ts';
import { connectRaw, type RawClient } from '../support/raw-client.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { makeCertificate } from './certificates.ts';
import { ask, metric, requestText, toolCall, type Ask } from './world.ts';

let corp: Issuer;
let partner: Issuer;
let upstream: RecordingUpstream;

beforeAll(async () => {
  [corp, partner, upstream] = await Promise.all([
    startIssuer({ algorithms: ['ES256'], audience: 'tools' }),
    startIssuer({ algorithms: ['ES256'], audience: 'tools' }),
    startRecordingUpstream(),
  ]);
});
afterAll(async () => {
  await Promise.all([corp.close(), partner.close(), upstream.close()]);
});

interface Text {
  /** Names of authorization servers. */
  readonly servers?: readonly ('corp' | 'partner')[];
  /** Further keys of the route `tools`, in flow style. */
  readonly route?: string;
  /** The route's upstream. */
  readonly url?: string;
  /** Further routes, in flow style. */
  readonly more?: readonly string[];
  readonly top?: string;
}

/** One route, `/mcp`, unless more is said. */
function text({ servers = ['corp', 'partner'], route, url, more = [], top = '' }: Text = {}): string {
  const issuers = { corp: corp.url, partner: partner.url };
  return `${top}
authorizationServers: [${servers.map((name) => `{ name: ${name}, issuer: '${issuers[name]}', audiences: [tools] }`).join(', ')}]
routes:
  - { name: tools, path: /mcp${route === undefined ? '' : `, ${route}`}, upstream: '${url ?? upstream.url}' }
${more.map((each) => `  - { ${each} }\n`).join('')}`;
}

const other = (keys = ''): string => `name: other, path: /other, upstream: '${upstream.url}'${keys}`;

async function post(gateway: RunningGateway, request: Ask = {}): Promise<number> {
  return (await ask(gateway.port, { token: corp.token(), ...request })).status;
}

/** A GET stream that the gateway has passed on. */
async function openStream(
  gateway: RunningGateway,
  request: Ask = {},
): Promise<{ readonly client: RawClient; readonly stream: EventStream }> {
  const stream = new EventStream();
  upstream.answerOnce(stream);
  const client = await connectRaw({ port: gateway.port });
  client.send(requestText(gateway.port, { method: 'GET', token: corp.token(), ...request }));
  await stream.opened();
  expect((await client.head()).status).toBe(200);
  return { client, stream };
}

/** The end of the chunked coding came, and no reset. */
async function endsCleanly({ client, stream }: { client: RawClient; stream: EventStream }): Promise<void> {
  expect((await client.response({ withinMs: 5_000 })).status).toBe(200);
  await stream.closed();
  await client.close();
}

describe('a reload', () => {
  it('serves the routes of the new configuration and no others, at one blow (O1, D-017)', async () => {
    await using gateway = await startGateway(text());
    expect([await post(gateway), await post(gateway, { target: '/other' })]).toEqual([200, 404]);
    expect(await gateway.reload(text({ more: [other()] }))).toBe('applied');
    expect([await post(gateway), await post(gateway, { target: '/other' })]).toEqual([200, 200]);
    expect(await gateway.reload(text({ route: 'access: open', servers: [] }))).toBe('applied');
    expect([await post(gateway, { token: '' }), await post(gateway, { target: '/other' })]).toEqual([
      200, 404,
    ]);
    const metadata = await fetch(`${gateway.url}/.well-known/oauth-protected-resource/other`);
    expect(metadata.status).toBe(404);
  });

  it('lets nobody in by a server that is gone, though its signature is remembered (D-017)', async () => {
    await using gateway = await startGateway(text());
    const token = partner.token();
    expect(await post(gateway, { token })).toBe(200);
    await gateway.reload(text({ servers: ['corp'] }));
    expect(await post(gateway, { token })).toBe(401);
    expect(await post(gateway)).toBe(200);
    await gateway.reload(text());
    expect(await post(gateway, { token })).toBe(200);
  });

  it('asks no server again that stays as it was, and is never unready (C5, O1)', async () => {
    await using gateway = await startGateway(text());
    const token = corp.token();
    expect(await post(gateway, { token })).toBe(200);
    const asked = corp.hits(corp.paths.jwks);
    const verified = await metric(gateway, 'portcullis_token_signatures_total{outcome="verified"}');
    for (let round = 0; round < 10; round += 1) {
      expect(await gateway.reload(text({ route: `limits: { streams: ${round + 1} }` }))).toBe('applied');
      expect((await fetch(`${gateway.opsUrl}/readyz`)).status).toBe(200);
      expect(await post(gateway, { token })).toBe(200);
    }
    expect(corp.hits(corp.paths.jwks)).toBe(asked);
    expect(await metric(gateway, 'portcullis_token_signatures_total{outcome="verified"}')).toBe(verified);
  });

  it('waits for no silent newcomer with what it takes away; who brings the newcomer’s token waits (C5)', async () => {
    await using late = await startIssuer({ algorithms: ['ES256'], audience: 'tools' });
    late.behave(late.paths.jwks, 'hang');
    await using gateway = await startGateway(text());
    const token = partner.token();
    expect(await post(gateway, { token })).toBe(200);
    const changed = text({ servers: ['corp'] }).replace(
      'authorizationServers: [',
      `authorizationServers: [{ issuer: '${late.url}', audiences: [tools], keys: { timeout: 1m } }, `,
    );
    const began = performance.now();
    expect(await gateway.reload(changed)).toBe('applied');
    expect(performance.now() - began).toBeLessThan(3_000);
    expect([await post(gateway, { token }), await post(gateway)]).toEqual([401, 200]);
    expect(await post(gateway, { token: late.token() })).toBe(503);
  });

  it('lets calls in flight end as they began, then nothing of the old configuration is left (O1)', async () => {
    await using gateway = await startGateway(text({ more: [other()] }));
    const answer = Promise.withResolvers<void>();
    const before = upstream.requests.length;
    upstream.answerOnce(async (_request, response) => {
      await answer.promise;
      response.end('{"jsonrpc":"2.0","id":1,"result":{"late":true}}');
    });
    const call = ask(gateway.port, { target: '/other', token: corp.token() });
    await upstream.request(before + 1);
    await gateway.reload(text());
    expect(await post(gateway, { target: '/other' })).toBe(404);
    expect(await metric(gateway, 'portcullis_config_held')).toBe(2);
    answer.resolve();
    expect((await call).body.toString()).toContain('"late":true');
    await expect.poll(() => metric(gateway, 'portcullis_config_held')).toBe(1);
  });

  it('lets nothing begin by the old configuration a second later, such as a call whose body is slow (D-017)', async () => {
    await using gateway = await startGateway(text());
    await using client = await connectRaw({ port: gateway.port });
    const headers = [['Expect', '100-continue']] as const;
    const whole = requestText(gateway.port, { token: partner.token(), headers });
    const head = whole.indexOf('\r\n\r\n') + 4;
    client.send(whole.slice(0, head));
    // Its token has been looked at.
    await client.received('100 Continue');
    const before = upstream.requests.length;
    await gateway.reload(text({ servers: ['corp'] }));
    await sleep(1_050);
    client.send(whole.slice(head));
    await client.received('HTTP/1.1 503');
    expect(upstream.requests.length).toBe(before);
    expect((await gateway.auditEvent(({ status: code }) => code === 503)).reason).toBe('config_superseded');
  });

  it('forgets no count: rates and caps go on where they were (O1)', async () => {
    const rate = 'rateLimit: { requests: 3, per: 1h }, limits: { perPrincipal: { streams: 1 } }';
    await using gateway = await startGateway(text({ route: rate }));
    const token = corp.token({ claims: { sub: 'ada' } });
    const open = await openStream(gateway, { token });
    expect(await post(gateway, { token })).toBe(200);
    await gateway.reload(text({ route: `${rate}, scopesSupported: [a]` }));
    expect(await post(gateway, { token, method: 'GET' })).toBe(429);
    expect([await post(gateway, { token }), await post(gateway, { token })]).toEqual([200, 429]);
    expect(gateway.audit.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['principal_streams', 'principal_rate']),
    );
    await gateway.reload(text({ route: 'limits: { streams: 1 }' }));
    expect(await post(gateway)).toBe(503);
    await open.client.close();
    await expect.poll(() => post(gateway)).toBe(200);
  });

  it('forgets no used proof: none is good twice because of it (D-017, A-072)', async () => {
    const key = new ProofKey();
    const token = corp.token({ claims: { cnf: { jkt: key.jkt } } });
    await using gateway = await startGateway(text({ route: 'dpop: required' }));
    const proof = key.proof({ url: `${gateway.url}/mcp`, token });
    const headers = [
      ['Authorization', `DPoP ${token}`],
      ['DPoP', proof],
    ] as const;
    const show = async (): Promise<number> => (await ask(gateway.port, { headers })).status;
    expect(await show()).toBe(200);
    await gateway.reload(text({ route: 'dpop: required', more: [other()] }));
    expect(await show()).toBe(401);
    await gateway.auditEvent(({ reason }) => reason === 'proof_replayed');
  });

  it('keeps sessions that a key of the process has sealed (O1)', async () => {
    await using gateway = await startGateway(text());
    const token = corp.token();
    upstream.answerOnce({
      headers: { 'mcp-session-id': 's-1' },
      body: { jsonrpc: '2.0', id: 1, result: {} },
    });
    const initialize = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} });
    const [session = ''] = (await ask(gateway.port, { token, body: initialize })).header('mcp-session-id');
    await gateway.reload(text({ more: [other()] }));
    const headers = [['Mcp-Session-Id', session]] as const;
    expect(await post(gateway, { token, headers })).toBe(200);
    expect(upstream.requests.at(-1)?.header('mcp-session-id')).toEqual(['s-1']);
  });

  it('changes what is logged, and says what it can’t change (O1)', async () => {
    await using gateway = await startGateway(text());
    const changed = text({
      top: `listen: { host: 127.0.0.1, port: 1, trustProxy: [127.0.0.1] }\nlog: { level: warn, audit: off }\n`,
    });
    expect(await gateway.reload(changed)).toBe('applied');
    const told = gateway.log.filter(({ level }) => level === 'warn').map(({ setting }) => setting);
    expect(told).toEqual(expect.arrayContaining(['listen.port', 'log.audit']));
    const lines = gateway.log.length;
    const headers = [['X-Forwarded-For', '203.0.113.7']] as const;
    expect(await post(gateway, { headers })).toBe(200);
    const { address } = await gateway.auditEvent(({ status }) => status === 200);
    expect([address, gateway.log.length]).toEqual(['203.0.113.7', lines]);
  });

  it('goes on with the traces of listed proxies alone (O1)', async () => {
    const trusting = (list: string): string =>
      text({ top: `listen: { host: 127.0.0.1, port: 1, trustProxy: [${list}] }\n` });
    await using gateway = await startGateway(text());
    const headers = [['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`]] as const;
    const passed = async (): Promise<boolean> => {
      expect(await post(gateway, { headers })).toBe(200);
      return upstream.requests.at(-1)?.header('traceparent').length === 1;
    };
    const seen = [await passed()];
    for (const list of ['127.0.0.1', '127.0.0.2']) {
      await gateway.reload(trusting(list));
      seen.push(await passed());
    }
    expect(seen).toEqual([false, true, false]);
  });

  it('shows a renewed certificate to whoever connects from then on (O1)', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-certificate-'));
    const port = await reserveFreePort();
    const renew = (): string => {
      const { cert, key } = makeCertificate('localhost');
      writeFileSync(join(folder, 'cert.pem'), cert);
      writeFileSync(join(folder, 'key.pem'), key);
      return new X509Certificate(cert).fingerprint256;
    };
    const shown = async (): Promise<string> => {
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const tls = `{ certFile: '${folder}/cert.pem', keyFile: '${folder}/key.pem' }`;
    const top = `publicUrl: https://localhost:${port}\nlisten: { host: 127.0.0.1, port: ${port}, tls: ${tls} }\n`;
    const first = renew();
    await using gateway = await startGateway(text({ top }), { port });
    expect(await shown()).toBe(first);
    const second = renew();
    expect(await gateway.reload(text({ top }))).toBe('applied');
    expect(await shown()).toBe(second);
    rmSync(folder, { recursive: true, force: true });
  });

  it('of the same text changes nothing; of many at one time the last wins (D-017)', async () => {
    await using gateway = await startGateway(text());
    expect(await gateway.reload(text())).toBe('unchanged');
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, at) =>
        gateway.reload(text({ route: `limits: { streams: ${at + 1} }` })),
      ),
    );
    expect(new Set(outcomes)).toEqual(new Set(['applied']));
    const applied = gateway.log.filter(({ msg }) => String(msg).endsWith('is in force'));
    expect(applied).toHaveLength(2);
    expect(await metric(gateway, 'portcullis_streams_limit{route="tools"}')).toBe(100);
  });

  it('shows in the metrics: one hash, the routes that there are, when it was (W14)', async () => {
    await using gateway = await startGateway(text({ more: [other()], top: 'log: { level: warn }' }));
    const series = async (name: string): Promise<readonly string[]> =>
      (await (await fetch(`${gateway.opsUrl}/metrics`)).text())
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`));
    const [hash] = await series('portcullis_config_info');
    expect(await series('portcullis_route_info')).toHaveLength(2);
    await gateway.reload(text({ top: 'log: { level: warn }' }));
    expect(await series('portcullis_route_info')).toHaveLength(1);
    const hashes = await series('portcullis_config_info');
    expect(hashes).toHaveLength(1);
    expect(hashes[0]).not.toBe(hash);
    expect(await metric(gateway, 'portcullis_config_last_reload_successful')).toBe(1);
  });

  it('after the gateway was told to stop is none', async () => {
    const gateway = await startGateway(text());
    await gateway.close();
    expect(await gateway.reload(text({ more: [other()] }))).toBe('stopping');
  });
});

describe('an open stream', () => {
  it('goes on over reloads, with whoever would still be let in (O1, D-017)', async () => {
    await using gateway = await startGateway(text());
    const { client, stream } = await openStream(gateway);
    for (const servers of [['corp'], ['partner', 'corp']] as const) {
      await gateway.reload(text({ servers, more: [other()] }));
      await sleep(50);
      await stream.send({ servers });
      await client.received(JSON.stringify({ servers }));
    }
    expect(client.peerClosed).toBe(false);
    await stream.end();
    expect((await client.response()).status).toBe(200);
  });

  it.each([
    ['the server of its token is gone', () => text({ servers: ['corp'] })],
    ['its route is gone', () => text().replace('path: /mcp', 'path: /elsewhere')],
    ['its route has another upstream', () => text({ url: `${upstream.origin}/new` })],
    ['its token is for another audience', () => text({ route: 'audiences: [others]' })],
    ['its token has too few scopes', () => text({ route: 'scopes: [more]' })],
  ])('ends cleanly within a second of a reload after which %s (D-017)', async (_why, changed) => {
    await using gateway = await startGateway(text());
    const token = partner.token();
    const streams = [
      await openStream(gateway, { token }),
      await openStream(gateway, { token, method: 'POST', body: toolCall() }),
    ];
    const began = performance.now();
    await gateway.reload(changed());
    for (const each of streams) await endsCleanly(each);
    expect(performance.now() - began).toBeLessThan(3_000);
    await gateway.auditEvent(({ end }) => end === 'config_reloaded', 2);
  });

  it('that may carry more than one answer ends when the rules of its route change; a call goes on (D-017)', async () => {
    const rules = (tool: string): Text => ({ route: `policy: [{ name: some, tools: ['${tool}'] }]` });
    await using gateway = await startGateway(text(rules('echo')));
    const call = await openStream(gateway, { method: 'POST', body: toolCall() });
    const open = await openStream(gateway);
    await gateway.reload(text({ ...rules('echo'), more: [other()] }));
    await sleep(50);
    expect(open.client.peerClosed).toBe(false);
    await gateway.reload(text(rules('other')));
    await endsCleanly(open);
    await post(gateway);
    await gateway.auditEvent(({ reason }) => reason === 'call_denied');
    await call.stream.send({ still: 'here' });
    await call.client.received('"still":"here"');
    await call.client.close();
  });

  it('of nobody ends where a token is asked for now (D-017)', async () => {
    await using gateway = await startGateway(text({ route: 'access: open' }));
    const open = await openStream(gateway, { token: '' });
    await gateway.reload(text({ route: 'access: open', more: [other()] }));
    await sleep(50);
    expect(open.client.peerClosed).toBe(false);
    await gateway.reload(text());
    await endsCleanly(open);
    await gateway.auditEvent(({ end }) => end === 'config_reloaded');
  });

  it('that begins by the old configuration just after the reload is looked at too (D-017)', async () => {
    await using gateway = await startGateway(text());
    const begin = Promise.withResolvers<void>();
    const stream = new EventStream();
    const before = upstream.requests.length;
    upstream.answerOnce(async (_request, response) => {
      await begin.promise;
      stream.attach(response);
    });
    await using client = await connectRaw({ port: gateway.port });
    client.send(requestText(gateway.port, { method: 'GET', token: partner.token() }));
    await upstream.request(before + 1);
    await gateway.reload(text({ servers: ['corp'] }));
    begin.resolve();
    expect((await client.response()).status).toBe(200);
    await gateway.auditEvent(({ end }) => end === 'config_reloaded');
  });

  it('keeps few old configurations alive: the oldest of many ends (D-017)', async () => {
    await using gateway = await startGateway(text());
    const streams: Awaited<ReturnType<typeof openStream>>[] = [];
    for (let round = 0; round < 18; round += 1) {
      streams.push(await openStream(gateway));
      await gateway.reload(text({ route: `limits: { streams: ${100 + round} }` }));
    }
    const [first, second, ...others] = streams;
    for (const each of [first, second]) if (each !== undefined) await endsCleanly(each);
    expect(others.map(({ client }) => client.peerClosed)).toEqual(others.map(() => false));
    expect(await metric(gateway, 'portcullis_config_held')).toBe(17);
    for (const { client } of others) await client.close();
    await expect.poll(() => metric(gateway, 'portcullis_config_held')).toBe(1);
  });
});
