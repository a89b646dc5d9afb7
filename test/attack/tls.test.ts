/** Certificates that prove nothing, on every hop that the gateway makes (attack catalogue A-069). */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { makeCertificate, type Certificate } from '../integration/certificates.ts';
import { mark } from '../support/invariants.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { host } from '../support/loopback.ts';
import { startRecordingUpstream } from '../support/recording-upstream.ts';
import { expectError } from './answers.ts';
import { startScene, type Scene } from './scene.ts';

let folder: string;
let caFile: string;
let authority: Certificate;
let cases: readonly (readonly [string, Certificate])[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-attack-'));
  caFile = join(folder, 'authority.pem');
  authority = makeCertificate('Test authority');
  writeFileSync(caFile, authority.cert);
  cases = [
    ['signed by itself', makeCertificate(host)],
    ['of another authority', makeCertificate(host, makeCertificate('Test authority'))],
    ['expired', makeCertificate(host, authority, ['200101000000Z', '210101000000Z'])],
    ['not valid yet', makeCertificate(host, authority, ['480101000000Z', '491231235959Z'])],
    ['for another name', makeCertificate('other.example', authority)],
    ['for a name that only ends alike', makeCertificate(`x${host}`, authority)],
  ];
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const oldEnvironment = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];

/** Who sets this for one program must not open the gate of another. */
function switchVerificationOff(): void {
  // Node warns of it once in a process, which is what is meant to happen here.
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
}

afterEach(() => {
  if (oldEnvironment === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = oldEnvironment;
});

describe('the way to an authorization server', () => {
  /** Asks with a token of an issuer that shows this certificate; `how` it is configured. */
  async function ask(
    certificate: Certificate,
    how: { readonly jwksUri?: 'given'; readonly trusting?: string; readonly tls?: object } = {},
  ): Promise<{ scene: Scene; hostile: Issuer; status: number }> {
    const { key, cert } = certificate;
    const hostile = await startIssuer({ algorithms: ['ES256'], tls: { key, cert, ...how.tls } });
    const healthy = await startIssuer({ algorithms: ['ES256'] });
    const where = how.jwksUri === 'given' ? `discovery: off, jwksUri: '${hostile.jwksUri}', ` : '';
    const scene = await startScene({
      issuers: [hostile, healthy],
      servers: `authorizationServers:
  - { name: as0, issuer: '${hostile.url}', ${where}tls: { caFile: '${how.trusting ?? caFile}' } }
  - { name: as1, issuer: '${healthy.url}' }`,
    });
    const answer = await scene.ask({ token: scene.token() });
    expect((await scene.ask({ token: scene.token({}, healthy) })).status).toBe(200);
    if (answer.status !== 200) {
      expect(answer.header('retry-after')).toHaveLength(1);
      expectError(answer, { code: 50300, message: 'The authorization server is unavailable' });
    }
    return { scene, hostile, status: answer.status };
  }

  it('A-069: is taken with a certificate of the configured authority, by discovery and by address', async () => {
    const good = makeCertificate(host, authority);
    for (const how of [{}, { jwksUri: 'given' }] as const) {
      await using scene = (await ask(good, how)).scene;
      expect(scene.upstream.requests).toHaveLength(2);
    }
  });

  it.each(['by discovery', 'by address', 'with verification switched off for the process'])(
    'A-069: with a certificate that proves nothing, nothing is asked or believed, %s',
    async (manner) => {
      if (manner.endsWith('process')) switchVerificationOff();
      for (const [name, certificate] of cases) {
        const how = manner === 'by address' ? ({ jwksUri: 'given' } as const) : {};
        const { scene: started, hostile, status } = await ask(certificate, how);
        await using scene = started;
        expect(status, `an authorization server whose certificate is ${name}`).toBe(503);
        expect(hostile.requests, `requests to one whose certificate is ${name}`).toEqual([]);
        expect(scene.upstream.requests).toHaveLength(1);
      }
    },
  );

  it("A-069: the configured authority replaces the system's, and one server's authority isn't another's", async () => {
    const own = makeCertificate('Other authority');
    const ownFile = join(folder, 'own.pem');
    writeFileSync(ownFile, own.cert);
    const [first, second] = [makeCertificate(host, authority), makeCertificate(host, own)];
    const issuers = await Promise.all(
      [first, second].map(({ key, cert }) => startIssuer({ algorithms: ['ES256'], tls: { key, cert } })),
    );
    await using scene = await startScene({
      issuers,
      // The second shows what only the first may show.
      servers: `authorizationServers:
  - { name: as0, issuer: '${issuers[0]?.url}', tls: { caFile: '${caFile}' } }
  - { name: as1, issuer: '${issuers[1]?.url}', tls: { caFile: '${caFile}' } }`,
    });
    const before = await mark(scene);
    expect((await scene.ask({ token: scene.token() })).status).toBe(200);
    expect((await scene.ask({ token: scene.token({}, issuers[1]) })).status).toBe(503);
    await before.hold({ forwarded: 1, reasons: ['ok', 'keys_unavailable'] });
  });

  it('A-069: TLS before 1.2 is refused', async () => {
    const good = makeCertificate(host, authority);
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;
    const { scene: started, hostile, status } = await ask(good, { tls: old });
    await using scene = started;
    expect(status).toBe(503);
    expect(scene.upstream.requests).toHaveLength(1);
    expect(hostile.requests).toEqual([]);
    // It does speak it, to whoever asks for it.
    const port = Number(new URL(hostile.url).port);
    const protocol = await new Promise((resolve, reject) => {
      const socket = connect({ port, host, ca: authority.cert, ...old }, () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.once('error', reject);
    });
    expect(protocol).toMatch(/^TLSv1(\.1)?$/);
  });
});

describe('the way to an upstream', () => {
  async function statusFrom(certificate: Certificate, trusted = caFile): Promise<number> {
    const { key, cert } = certificate;
    await using upstream = await startRecordingUpstream({ tls: { key, cert } });
    await using scene = await startScene({
      issuers: [await startIssuer({ algorithms: ['ES256'] })],
      routes: `routes: [{ name: tools, path: /mcp, scopes: [mcp:use], upstream: { url: '${upstream.url}', tls: { caFile: '${trusted}' } } }]`,
    });
    const before = await mark(scene);
    const answer = await scene.ask({ token: scene.token() });
    const [event] = await before.hold({ forwarded: 0 });
    if (answer.status === 502) {
      expectError(answer, { code: 50200, message: 'The MCP server failed' }, 1);
      expect(event?.reason).toBe('tls');
    }
    expect(upstream.requests).toHaveLength(answer.status === 200 ? 1 : 0);
    return answer.status;
  }

  it('A-069: is taken with a certificate of the configured authority', async () => {
    expect(await statusFrom(makeCertificate(host, authority))).toBe(200);
  });

  it.each(['as it is', 'with verification switched off for the process'])(
    'A-069: with a certificate that proves nothing is 502, and no byte of the request goes there, %s',
    async (manner) => {
      if (manner.endsWith('process')) switchVerificationOff();
      for (const [name, certificate] of cases)
        expect(await statusFrom(certificate), `an upstream whose certificate is ${name}`).toBe(502);
    },
  );
});
