/** `portcullis explain`: the same verdicts as the gateway, in words, and never the token. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { explain } from '../../src/commands/explain.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { IntrospectionEndpoint } from '../support/introspection-endpoint.ts';
import { startIssuer, type Issuer, type TokenParts } from '../support/issuer.ts';
import { reserveFreePort } from '../support/loopback.ts';
import { ProofKey } from '../support/proof-key.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { Secrets } from '../support/secrets.ts';
import { mintKey } from '../support/signing-key.ts';
import { ask } from './world.ts';
import { program } from '../support/program.ts';

const clientSecret = 'the-secret-of-the-gateway-as-a-client';
const environment = { SECRET: clientSecret };
let issuer: Issuer;
let opaqueIssuer: Issuer;
let introspection: IntrospectionEndpoint;
let upstream: RecordingUpstream;
let gateway: RunningGateway;
let yaml: string;
let resource: string;
let secrets: Secrets;

beforeAll(async () => {
  const [port, opsPort] = [await reserveFreePort(), await reserveFreePort()];
  resource = `http://localhost:${port}/mcp`;
  issuer = await startIssuer({ algorithms: ['ES256', 'EdDSA', 'RS256'], audience: resource });
  opaqueIssuer = await startIssuer({ algorithms: ['ES256'], path: '/o' });
  introspection = new IntrospectionEndpoint(opaqueIssuer);
  upstream = await startRecordingUpstream();
  const to = `upstream: '${upstream.url}'`;
  yaml = `publicUrl: http://localhost:${port}
listen: { host: 127.0.0.1, port: ${port} }
ops: { host: 127.0.0.1, port: ${opsPort} }
authorizationServers:
  - { name: corp, issuer: '${issuer.url}', algorithms: [ES256, EdDSA], leeway: 5s }
  - { name: opaque, issuer: '${opaqueIssuer.url}', introspection: { clientId: gate, clientSecret: { env: SECRET } } }
  - { name: tenants, issuer: '${issuer.origin}/t' }
routes:
  - { name: tools, path: /mcp, authorizationServers: [corp], scopes: [mcp:use], ${to} }
  - { name: both, path: /both, authorizationServers: [opaque, corp], audiences: ['${resource}'], ${to} }
  - { name: bound, path: /bound, authorizationServers: [corp], audiences: ['${resource}'], dpop: optional, ${to} }
  - { name: public, path: /public, access: open, ${to} }
  - { name: apps, path: '/{tenant}/mcp', authorizationServers: [tenants], tenant: { issuer: '${issuer.origin}/t/{tenant}' }, ${to} }
`;
  gateway = await startGateway(yaml, { port, environment });
});
afterAll(async () => {
  await gateway.close();
  await Promise.all([issuer.close(), opaqueIssuer.close(), upstream.close()]);
});

interface Explained {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Question {
  /** What the file holds. */
  readonly token: string;
  readonly route?: string;
  readonly tenant?: string;
  readonly configuration?: string;
}

/** Runs the command here, and watches that nothing of the token gets out. */
async function explained({
  token,
  route = 'tools',
  tenant,
  configuration = yaml,
}: Question): Promise<Explained> {
  secrets = new Secrets();
  secrets.watch('client secret', clientSecret);
  const bare = token.trim().replace(/^\S+ /, '');
  const [, claims, signature] = bare.split('.');
  for (const [name, part] of Object.entries({ token: bare, claims, signature })) {
    if (part !== undefined && part.length >= 20) secrets.watch(name, part);
  }
  const files: Record<string, string> = { 'gateway.yaml': configuration, 'token.txt': token };
  let [out, err] = ['', ''];
  const code = await explain(
    {
      tokenFile: 'token.txt',
      claimsFile: undefined,
      call: undefined,
      routeName: route,
      tenant,
      configurationFile: 'gateway.yaml',
    },
    {
      out: (written) => (out += written),
      err: (written) => (err += written),
      environment,
      readFile: (path) => {
        const found = files[path];
        if (found === undefined) throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
        return found;
      },
      readStandardInput: async () => token,
    },
    { clock: Date.now },
  );
  expect(secrets.leaksIn({ out, err })).toEqual([]);
  return { code, out, err };
}

/** The checks in their order, each with its mark. */
function checksIn(out: string): readonly string[] {
  return [...out.matchAll(/^ {2}(ok|FAIL|-) +(\S+) /gm)].map(([, mark, check]) => `${mark} ${check}`);
}

const held = ['credentials', 'form', 'issuer', 'algorithm', 'key', 'signature', 'type', 'times'].map(
  (check) => `ok ${check}`,
);

describe('a token that is let in', () => {
  it('is followed through every check in order, to the key, its authorization server and its times', async () => {
    const { code, out } = await explained({ token: `${issuer.token()}\n` });
    expect(code).toBe(0);
    expect(checksIn(out)).toEqual([...held, 'ok audience', 'ok subject', 'ok confirmation', 'ok scopes']);
    const { kid } = issuer.key('ES256');
    expect(out).toMatch(
      new RegExp(`key +kid "${kid}": P-256 key of corp, fetched just now in \\d+ ms from ${issuer.jwksUri}`),
    );
    expect(out).toMatch(/times +expires \d{4}-\d\d-\d\dT[\d:.]+Z \(in 4 min\), issued .+ ago\), leeway 5 s/);
    expect(out).toContain(`aud "${resource}"`);
    expect(out).toContain('the route needs mcp:use; granted: mcp:use');
    expect(out.trimEnd().split('\n').at(-1)).toBe(`allowed: subject "alice" of "${issuer.url}"`);
  });

  it.each([
    ['with its scheme', (token: string) => `Bearer ${token}`],
    ['with its scheme in another case and line ends', (token: string) => `\nbearer ${token}\r\n`],
    ['bare', (token: string) => token],
  ])('may stand in the file %s', async (_name, write) => {
    expect((await explained({ token: write(issuer.token()) })).code).toBe(0);
  });

  it('is not looked at on an open route, and no one is asked', async () => {
    const asked = issuer.hits();
    const { code, out } = await explained({ token: 'whatever', route: 'public' });
    expect({ code, checks: checksIn(out) }).toEqual({ code: 0, checks: ['- credentials'] });
    expect(issuer.hits()).toBe(asked);
  });

  it('shows no claims but those that decide', async () => {
    const claims = {
      email: 'alice@corp.example',
      jti: 'canary-jti',
      groups: ['canary-group'],
      name: 'Canary',
    };
    const { code, out } = await explained({ token: issuer.token({ claims }) });
    expect(code).toBe(0);
    expect(out).not.toMatch(/canary|alice@/i);
  });
});

/** The reason word, the check that fails, and the token; each is asked of the gateway as well. */
const refusals: readonly (readonly [reason: string, check: string, make: () => string])[] = [
  ['malformed_credentials', 'credentials', () => ''],
  ['malformed_credentials', 'credentials', () => `${issuer.token()} ${issuer.token()}`],
  ['other_scheme', 'credentials', () => 'Basic YWxpY2U6c2VjcmV0LW9mLWFsaWNl'],
  ['token_malformed', 'form', () => 'opaque-0123456789-0123456789'],
  ['token_too_long', 'form', () => issuer.token({ claims: { filler: 'x'.repeat(8192) } })],
  ['critical_header', 'form', () => issuer.token({ header: { crit: ['exp'] } })],
  ['issuer_not_trusted', 'issuer', () => issuer.token({ claims: { iss: 'https://elsewhere.example.com' } })],
  ['alg_not_allowed', 'algorithm', () => issuer.token({ key: 'RS256' })],
  ['token_signature', 'signature', () => issuer.token({ key: mintKey('ES256', issuer.key('ES256').kid) })],
  ['token_type', 'type', () => issuer.token({ header: { typ: 'logout+jwt' } })],
  ['token_type', 'type', () => issuer.token({ claims: { nonce: 'n' } })],
  ['token_expired', 'times', () => issuer.token({ claims: { exp: secondsFromNow(-7200) } })],
  ['token_not_yet_valid', 'times', () => issuer.token({ claims: { nbf: secondsFromNow(600) } })],
  ['token_lifetime', 'times', () => issuer.token({ claims: { exp: 1e300 } })],
  ['token_audience', 'audience', () => issuer.token({ claims: { aud: 'https://other.example.com/mcp' } })],
  ['token_subject', 'subject', () => issuer.token({ claims: { sub: 'a\u001b[31mlice' } })],
  ['token_confirmation', 'confirmation', () => issuer.token({ claims: { cnf: { 'x5t#S256': 'abc' } } })],
  ['scope_insufficient', 'scopes', () => issuer.token({ claims: { scope: 'mcp:read' } })],
];

function secondsFromNow(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

describe('a token that is refused', () => {
  it.each(refusals)(
    'for %s names %s, the status and the challenge that the gateway answers with',
    async (reason, check, make) => {
      const token = make();
      const { code, out } = await explained({ token });
      expect(code).toBe(3);
      expect(checksIn(out).filter((line) => line.startsWith('FAIL'))).toEqual([`FAIL ${check}`]);
      expect(out).toMatch(new RegExp(`^ {2}FAIL +${check} +(${reason}|the route needs)`, 'm'));
      const authorization = /^[a-z]+ /i.test(token) ? token : `Bearer ${token}`;
      const answer = await ask(gateway.port, { headers: [['Authorization', authorization]] });
      const requestId = answer.header('x-request-id')[0];
      const event = await gateway.auditEvent((candidate) => candidate.requestId === requestId);
      expect(event.reason).toBe(reason);
      expect(out).toContain(`The client gets ${answer.status}; log and audit say ${reason}\n`);
      for (const challenge of answer.header('www-authenticate'))
        expect(out).toContain(`  www-authenticate: ${challenge}\n`);
      expect(out).toContain(`docs/guides/read-a-refusal.md, ${reason}\n`);
    },
  );

  it('says when it expired, and judges what comes after all the same', async () => {
    const claims = { exp: secondsFromNow(-7200), aud: 'https://other.example.com/mcp' };
    const { out } = await explained({ token: issuer.token({ claims }) });
    expect(checksIn(out).slice(7)).toEqual(['FAIL times', 'FAIL audience', 'ok subject', 'ok confirmation']);
    expect(out).toMatch(/token_expired: expired 72\d\d s ago; expires .+Z \(2 h ago\)/);
    expect(out).toContain(`token_audience: aud "https://other.example.com/mcp", expected ${resource}`);
    expect(out).toContain('log and audit say token_expired');
  });

  it('for an unknown key says which name it gave and who was asked, once', async () => {
    const asked = issuer.hits(issuer.paths.jwks);
    const { code, out } = await explained({ token: issuer.token({ header: { kid: 'gone-1' } }) });
    expect(code).toBe(3);
    expect(out).toMatch(
      /FAIL +key +key_unknown: kid "gone-1" fits no key of corp, fetched just now .+ \(3 keys\)/,
    );
    expect(out).toContain('The client gets 401; log and audit say key_unknown');
    expect(issuer.hits(issuer.paths.jwks)).toBe(asked + 1);
  });

  it('of an unlisted issuer has no one asked', async () => {
    const asked = issuer.hits();
    await explained({ token: issuer.token({ claims: { iss: `${issuer.url}/` } }) });
    expect(issuer.hits()).toBe(asked);
  });

  it('moves no cursor and turns no text of the terminal', async () => {
    const aud = 'https://x.example/\u202e\u009b2J\u2028';
    const { out } = await explained({ token: issuer.token({ claims: { aud, sub: 'a\u0007\u001b[2J' } }) });
    expect(out).not.toMatch(/[^\n\P{Cc}]|\p{Cf}|\p{Zl}|\p{Zp}/u);
    expect(out).toContain('\\u{202e}\\u{9b}2J\\u{2028}');
  });
});

describe('an authorization server that cannot be asked', () => {
  afterEach(() => issuer.behave(issuer.paths.jwks, 'normal'));

  it('is told apart from a refusal: nothing can be decided now', async () => {
    issuer.behave(issuer.paths.jwks, { status: 500 });
    const { code, out } = await explained({ token: issuer.token() });
    expect(code).toBe(3);
    expect(checksIn(out).at(-1)).toBe('FAIL key');
    expect(out).toMatch(
      /keys_unavailable: no keys of corp, asked just now for \d+ ms: .+\/jwks answered 500/,
    );
    expect(out).toMatch(
      /^can't be decided now: .+ The client gets 503; log and audit say keys_unavailable$/m,
    );
    expect(out).toMatch(/^ {2}retry-after: \d+$/m);
  });

  it('gets its whole time-out before that is said, and not only the two seconds of a request', async () => {
    issuer.behave(issuer.paths.jwks, { delayMs: 2300 });
    expect((await explained({ token: issuer.token() })).code).toBe(0);
  });
});

describe('tokens that need more than a signature', () => {
  it('that are opaque are asked about, and the server that was asked is named', async () => {
    const token = introspection.issue(resource);
    const good = await explained({ token, route: 'both' });
    expect(good.code).toBe(0);
    expect(checksIn(good.out)).toEqual(['ok credentials', '- opaque', 'ok introspection', 'ok scopes']);
    expect(good.out).toContain('opaque says that the token is active');
    introspection.revoke(token);
    const revoked = await explained({ token, route: 'both' });
    expect(revoked.code).toBe(3);
    expect(revoked.out).toMatch(
      /FAIL +introspection +token_inactive: opaque says that the token isn't active/,
    );
  });

  it('that are opaque and for someone else fail by what the server said', async () => {
    const { code, out } = await explained({
      token: introspection.issue('https://other.example.com'),
      route: 'both',
    });
    expect(code).toBe(3);
    expect(out).toMatch(/FAIL +answer +token_audience: aud "https:\/\/other\.example\.com"/);
  });

  it('that are opaque on a route without introspection say so', async () => {
    const { code, out } = await explained({ token: introspection.issue(resource) });
    expect(code).toBe(3);
    expect(out).toContain('not a JWT; no authorization server of this route is asked about such tokens');
  });

  it('that are bound to a key need a proof, which is said and not invented', async () => {
    const { jkt } = new ProofKey();
    const token = issuer.token({ claims: { cnf: { jkt } } });
    const bound = await explained({ token: `DPoP ${token}`, route: 'bound' });
    expect(bound.code).toBe(0);
    expect(bound.out).toContain(`each request must prove that it has the key ${jkt}; not looked at here`);
    const bearer = await explained({ token, route: 'bound' });
    expect(bearer.code).toBe(3);
    expect(bearer.out).toMatch(/FAIL +confirmation +token_confirmation: bound to a key/);
    expect(bearer.out).toMatch(/^ {2}www-authenticate: Bearer .+\n {2}www-authenticate: DPoP /m);
  });

  it('of the second of two servers are told with both', async () => {
    const { code, out } = await explained({ token: issuer.token(), route: 'both' });
    expect(code).toBe(0);
    expect(out).toContain(`iss "${issuer.url}": corp`);
  });
});

describe('a route with a tenant in its path', () => {
  it('is judged for the tenant that is named', async () => {
    const parts: TokenParts = { claims: { iss: `${issuer.origin}/t/acme` } };
    const { code, out } = await explained({ token: issuer.token(parts), route: 'apps', tenant: 'acme' });
    expect(code).toBe(3);
    expect(out).toContain(`route apps, ${gateway.url}/acme/mcp`);
    // No one is there for that tenant: its keys can't be had.
    expect(out).toContain('log and audit say keys_unavailable');
  });

  it.each([
    [{ route: 'apps' }, 'say which with --tenant NAME'],
    [{ route: 'apps', tenant: '../x' }, 'route apps has no tenant "../x"'],
    [{ route: 'tools', tenant: 'acme' }, 'leave --tenant out'],
    [{ route: 'nope' }, 'there is no route "nope"; the routes are: tools, both, bound, public, apps'],
  ])('and other misunderstandings are wrong usage: %j', async (question, words) => {
    const { code, out, err } = await explained({ token: issuer.token(), ...question });
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toContain(words);
  });
});

describe('the command line', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'portcullis-explain-'));
    writeFileSync(join(folder, 'gateway.yaml'), yaml);
    writeFileSync(join(folder, 'bad.yaml'), 'routes: 7\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  async function portcullis(args: readonly string[], input = ''): Promise<Explained> {
    const child = spawn(process.execPath, [program, 'explain', ...args], {
      cwd: new URL('../../', import.meta.url),
      env: { PATH: process.env['PATH'], ...environment },
      timeout: 20_000,
    });
    const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
    child.stdin.end(input);
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await ended, out, err };
  }

  it('takes the token from standard input, ends by itself, and prints no part of the token', async () => {
    const token = issuer.token();
    const config = join(folder, 'gateway.yaml');
    const { code, out, err } = await portcullis(
      ['--token', '-', '--route', 'tools', '--config', config],
      `${token}\n`,
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const part of token.split('.').slice(1)) expect(out).not.toContain(part.slice(0, 20));
  });

  it.each([
    [64, 'explain needs --route NAME, and --token FILE or a call', ['--route', 'tools']],
    [64, 'explain needs --route NAME', ['--tool', 'x']],
    [64, '--token or --claims, not both', ['--route', 'x', '--token', 'a', '--claims', 'b', '--tool', 'c']],
    [64, 'Unknown option', ['--tokens', 'x']],
    [64, '--token: the file', ['--token', 'a.good.token', '--route', 'tools', '--config', 'gateway.yaml']],
    [64, 'a word too many', ['--route', 'tools', 'a.good.token']],
    [64, 'gone.yaml', ['--token', '-', '--route', 'tools', '--config', 'gone.yaml']],
    [78, 'bad.yaml:1:', ['--token', '-', '--route', 'tools', '--config', 'bad.yaml']],
  ] as const)('exits with %d and names %s', async (expected, words, args) => {
    const { code, out, err } = await portcullis(
      args.map((word) => (word.endsWith('.yaml') ? join(folder, word) : word)),
    );
    expect({ code, out }).toEqual({ code: expected, out: '' });
    expect(err).toContain(words);
    // Who gives the token instead of a file has it in no log.
    expect(err).not.toContain('a.good.token');
  });
});
