import { beforeEach, describe, expect, it } from 'vitest';

import { mintKey, signCompact, type SigningKey as MintedKey } from '../../test/support/signing-key.ts';
import type { Authorities, Authority } from '../authorization-servers/authority.ts';
import type { FoundKeys } from '../authorization-servers/keys/key-set.ts';
import { readSigningKeys, type SigningKey } from '../authorization-servers/keys/signing-key.ts';
import type { AuthorizationServer, Route } from '../config/configuration.ts';
import { RememberedSignatures } from './remembered-signatures.ts';
import type { Step } from './trace.ts';
import type { Presentation, VerifierParts } from './verify-access-token.ts';
import { verifyAccessToken } from './verify-access-token.ts';

const nowMs = 1_800_000_000_000;
const resource = 'https://mcp.example.com/mcp';
const good = { iss: 'https://a.example', sub: 'ada', aud: resource, iat: 7, exp: nowMs / 1000 + 60 };
const minted = mintKey('ES256', 'k');
const stranger = mintKey('ES256', 'k');

let steps: Step[];
let observed: string[];
let sought: (readonly [server: string, kid: unknown, algorithm: string, issuedAtMs: unknown])[];
let remembered: RememberedSignatures;
let refetches: number;

beforeEach(() => {
  [steps, observed, sought, remembered, refetches] = [[], [], [], new RememberedSignatures(), 0];
});

const published = (...keys: readonly MintedKey[]): readonly SigningKey[] =>
  readSigningKeys({ keys: keys.map(({ publicJwk }) => publicJwk) }) ?? [];
const found = (...keys: readonly MintedKey[]): FoundKeys => ({ outcome: 'found', keys: published(...keys) });
const unavailable: FoundKeys = { outcome: 'unavailable', reason: 'keys_unavailable', retryAfterSeconds: 9 };

interface Keys {
  /** What is found, look by look; the last goes on. */
  readonly finds?: readonly FoundKeys[];
  readonly refetch?: boolean;
  readonly server?: Readonly<Record<string, unknown>>;
  readonly introspection?: Authority['introspection'];
}

function authority(
  name: string,
  { finds = [found(minted)], refetch = false, server, introspection }: Keys = {},
): Authority {
  const looks = [...finds];
  return {
    server: {
      name,
      issuers: [`https://${name}.example`],
      algorithms: ['ES256'],
      audiences: [],
      tokenTypes: ['at+jwt', 'none'],
      leeway: 0,
      requireExp: true,
      verify: { exp: true, nbf: true, iat: false, iss: true },
      claims: { clientId: ['client_id'], scopes: ['scope'], email: 'email' },
      ...server,
    } as unknown as AuthorizationServer,
    keys: {
      find: async (kid: unknown, algorithm: string, issuedAtMs: unknown) => {
        sought.push([name, kid, algorithm, issuedAtMs]);
        return looks.length > 1 ? looks.shift() : looks[0];
      },
      refetch: async () => {
        refetches += 1;
        return refetch;
      },
      holds: (key: SigningKey) => !key.retired,
    },
    introspection,
  } as unknown as Authority;
}

function worldOf(authorities: readonly Authority[], over: Readonly<Record<string, unknown>> = {}) {
  const route = {
    name: 'tools',
    resource,
    upstream: { token: 'strip' },
    authorizationServers: authorities.map(({ server }) => server),
  } as unknown as Route;
  const parts = {
    authorities: {
      of: (server: AuthorizationServer) => authorities.find((each) => each.server === server),
    } as unknown as Authorities,
    remembered,
    observer: { signatureChecked: (outcome: string) => observed.push(outcome) },
    clock: () => nowMs,
    trace: (step: Step) => steps.push(step),
    ...over,
  } as unknown as VerifierParts;
  return (token: string, presented: Partial<Presentation> = {}) =>
    verifyAccessToken({ token, scheme: 'Bearer', connection: {}, ...presented }, route, parts);
}

function tokenOf(
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
  by = minted,
): string {
  return signCompact({ header: { alg: 'ES256', kid: 'k', ...header }, payload: { ...good, ...claims } }, by);
}

const refused = (reason: string, detail?: string) => ({
  ok: false,
  refusal: { kind: 'token-invalid', reason, ...(detail === undefined ? {} : { detail }) },
});
const ada = { ok: true, principal: { subject: 'ada', authorizationServer: 'a' } };

describe('a token (A06 to A12)', () => {
  it('lets its bearer in by a key that its issuer publishes, and says each step', async () => {
    const verify = worldOf([authority('a')]);
    expect(await verify(tokenOf())).toMatchObject(ada);
    expect(steps.map(({ step }) => step)).toEqual([
      'form',
      'issuer',
      'algorithm',
      'key',
      'signature',
      ...Array.from({ length: 6 }, () => 'claim'),
    ]);
    expect(steps[2]).toMatchObject({ fault: undefined });
    expect(steps.slice(5)).toMatchObject(
      ['type', 'times', 'audience', 'tenant', 'subject', 'confirmation'].map((check) => ({
        check,
        fault: undefined,
      })),
    );
    expect(sought).toEqual([['a', 'k', 'ES256', 7000]]);
    expect([observed, refetches]).toEqual([['verified'], 0]);
  });

  it('is verified without anyone who hears of it', async () => {
    const verify = worldOf([authority('a')], { trace: undefined });
    expect(await verify(tokenOf())).toMatchObject(ada);
    expect(await verify(tokenOf({ aud: 'x' }))).toMatchObject({ refusal: { reason: 'token_audience' } });
    expect(await verify('x.y.z')).toMatchObject({ ok: false });
    expect(await verify(tokenOf({}, { alg: 'none' }))).toMatchObject({ ok: false });
    expect(await verify(tokenOf({}, {}, stranger))).toEqual(refused('token_signature'));
  });

  it('is told at once the next time, and its claims are judged again', async () => {
    const verify = worldOf([authority('a')]);
    const token = tokenOf();
    await verify(token);
    steps = [];
    expect(verify(token)).toMatchObject(ada);
    expect(observed).toEqual(['verified', 'remembered']);
    expect(steps).toEqual([]);
    expect(sought).toHaveLength(1);
  });

  it('whose claims speak against it isn’t worth another signature check', async () => {
    const verify = worldOf([authority('a')]);
    const token = tokenOf({ exp: 1, aud: 'x' });
    const expired = refused('token_expired', `expired ${nowMs / 1000 - 1} s ago`);
    expect(await verify(token)).toEqual(expired);
    expect(await verify(token)).toEqual(expired);
    expect(observed).toEqual(['verified']);
    expect(steps.filter(({ step }) => step === 'signature')).toHaveLength(1);
  });

  it('that can’t be read is refused before anyone is asked', async () => {
    const verify = worldOf([authority('a')]);
    expect(await verify('x.y.z')).toEqual(refused('token_malformed', 'not canonical base64url'));
    expect(steps).toMatchObject([{ step: 'form', found: { reason: 'token_malformed' } }]);
    expect(sought).toEqual([]);
  });

  it.each([['https://c.example'], [undefined], [7], [['https://a.example']]])(
    'of the issuer %j is refused before anyone is asked',
    async (iss) => {
      const verify = worldOf([authority('a'), authority('b')]);
      const said = iss === undefined ? 'nothing' : JSON.stringify(iss);
      expect(await verify(tokenOf({ iss }))).toEqual(
        refused('issuer_not_trusted', `iss ${said}, expected https://a.example or https://b.example`),
      );
      expect(steps.at(-1)).toEqual({ step: 'issuer', candidates: [] });
      expect(sought).toEqual([]);
    },
  );

  it('is looked at by the server of its issuer alone, and by any where issuers aren’t checked', async () => {
    const lax = { verify: { exp: true, nbf: true, iat: false, iss: false } };
    const token = tokenOf({ iss: 'https://b.example' });
    await worldOf([authority('a'), authority('b')])(token);
    expect(sought.map(([name]) => name)).toEqual(['b']);
    remembered = new RememberedSignatures();
    expect(await worldOf([authority('a', { server: lax })])(tokenOf({ iss: 'x' }))).toMatchObject(ada);
  });

  it.each(['none', 'RS256', 'HS256', 'toString'])('of the algorithm %s is refused', async (alg) => {
    const detail = `alg "${alg}", accepted: ES256, ES384`;
    const several = authority('a', { server: { algorithms: ['ES256', 'ES384'] } });
    expect(await worldOf([several])(tokenOf({}, { alg }))).toEqual(refused('alg_not_allowed', detail));
    expect(steps.at(-1)).toMatchObject({ step: 'algorithm', fault: { reason: 'alg_not_allowed', detail } });
    expect(sought).toEqual([]);
  });
});

describe('the key of a token', () => {
  it('is unknown: the token says by what it was looked for', async () => {
    const verify = worldOf([authority('a', { finds: [{ outcome: 'unknown' }] })]);
    expect(await verify(tokenOf())).toEqual(refused('key_unknown', 'kid of 1 characters'));
    expect(await verify(tokenOf({ iat: 'x' }, { kid: undefined }))).toEqual(refused('key_unknown', 'no kid'));
    expect(sought.at(-1)).toEqual(['a', undefined, 'ES256', undefined]);
    expect(observed).toEqual([]);
  });

  it('can’t be had: nothing is known of the token', async () => {
    expect(await worldOf([authority('a', { finds: [unavailable] })])(tokenOf())).toEqual({
      ok: false,
      refusal: {
        kind: 'authorization-server-unavailable',
        reason: 'keys_unavailable',
        retryAfterSeconds: 9,
        detail: 'a',
      },
    });
  });

  it('is another: the token is refused', async () => {
    expect(await worldOf([authority('a')])(tokenOf({}, {}, stranger))).toEqual(refused('token_signature'));
    expect(steps.at(-1)).toMatchObject({ step: 'signature', key: undefined });
    expect([observed, refetches]).toEqual([['failed'], 1]);
  });

  it('is looked for among all that fit', async () => {
    const broken = { ...stranger, publicJwk: { ...stranger.publicJwk, x: 'AA' } };
    const verify = worldOf([authority('a', { finds: [found(broken, stranger, minted)] })]);
    expect(await verify(tokenOf())).toMatchObject(ada);
  });

  it('is fetched once more where none has signed the token, if that may be', async () => {
    const finds = [found(stranger), found(minted)];
    expect(await worldOf([authority('a', { finds, refetch: false })])(tokenOf())).toEqual(
      refused('token_signature'),
    );
    expect(await worldOf([authority('a', { finds, refetch: true })])(tokenOf())).toMatchObject(ada);
    expect(sought.slice(-2)).toEqual([
      ['a', 'k', 'ES256', 7000],
      ['a', 'k', 'ES256', 7000],
    ]);
    const gone = authority('a', { finds: [found(stranger), { outcome: 'unknown' }], refetch: true });
    remembered = new RememberedSignatures();
    expect(await worldOf([gone])(tokenOf())).toEqual(refused('token_signature'));
  });
});

describe('several servers of one issuer', () => {
  const same = { issuers: ['https://a.example'] };

  it('are asked in their order, up to the first whose key and rules hold', async () => {
    const first = authority('b', { finds: [found(stranger)], server: same });
    expect(await worldOf([first, authority('a'), authority('c', { server: same })])(tokenOf())).toMatchObject(
      ada,
    );
    expect(sought.map(([name]) => name)).toEqual(['b', 'a']);
  });

  it('leave the token unknown where one of them couldn’t be asked', async () => {
    const silent = authority('a', { finds: [unavailable] });
    const silentToo = authority('c', { finds: [unavailable], server: same });
    const other = authority('b', { finds: [found(stranger)], server: same });
    expect(await worldOf([other, silent, silentToo])(tokenOf())).toMatchObject({
      refusal: { kind: 'authorization-server-unavailable', detail: 'a' },
    });
    expect(await worldOf([silent, authority('b', { server: same })])(tokenOf())).toMatchObject({ ok: true });
  });

  it('say what came nearest', async () => {
    const unknown = authority('b', { finds: [{ outcome: 'unknown' }], server: same });
    const other = authority('c', { finds: [found(stranger)], server: same });
    expect(await worldOf([unknown, other])(tokenOf())).toMatchObject({ refusal: { reason: 'key_unknown' } });
    expect(await worldOf([unknown, authority('a')])(tokenOf({ aud: 'x' }))).toMatchObject({
      refusal: { reason: 'token_audience' },
    });
    remembered = new RememberedSignatures();
    expect(await worldOf([authority('a'), unknown])(tokenOf({ aud: 'x' }))).toMatchObject({
      refusal: { reason: 'token_audience' },
    });
  });

  it('are each looked at for what is remembered', async () => {
    const elsewhere = authority('b', { server: { ...same, audiences: ['elsewhere'] } });
    const verify = worldOf([elsewhere, authority('a')]);
    const token = tokenOf();
    expect(await verify(token)).toMatchObject(ada);
    expect(verify(token)).toMatchObject(ada);
    expect(observed).toEqual(['verified', 'verified', 'remembered']);
  });
});

describe('a stranger who came too often', () => {
  const barred = () => ({ kind: 'rate-exceeded', reason: 'address_rate', retryAfterSeconds: 4 }) as const;
  const opaque = (isKnown: boolean) =>
    authority('a', {
      server: { introspection: { for: 'opaque' } },
      introspection: {
        inspect: () => ({ outcome: 'active', claims: { ...good } }),
        knows: () => isKnown,
      } as unknown as NonNullable<Authority['introspection']>,
    });

  it('is looked at no more, but for tokens that are known', async () => {
    const verify = worldOf([authority('a')]);
    const token = tokenOf();
    expect(await verify(token, { barred })).toEqual({ ok: false, refusal: barred() });
    expect(sought).toEqual([]);
    expect(await verify(token, { barred: () => undefined })).toMatchObject(ada);
    expect(await verify(token, { barred })).toMatchObject(ada);
  });

  it('may show an opaque token that was good once, and no other', async () => {
    expect(await worldOf([opaque(true)])('opaque', { barred })).toMatchObject(ada);
    expect(await worldOf([opaque(false)])('opaque', { barred })).toEqual({ ok: false, refusal: barred() });
    expect(await worldOf([opaque(true)])(tokenOf(), { barred })).toEqual({ ok: false, refusal: barred() });
  });

  it('is anyone where nobody is counted', async () => {
    expect(await worldOf([opaque(false)])('opaque')).toMatchObject(ada);
  });
});

describe('a JWT of a server that is asked about all tokens (I1)', () => {
  const asking = (outcome: 'active' | 'inactive', which: 'all' | 'opaque' = 'all') =>
    authority('a', {
      server: { introspection: { for: which } },
      introspection: {
        inspect: (_token: string, kind: string) => {
          observed.push(kind);
          return outcome === 'active' ? { outcome, claims: {} } : { outcome, expired: false };
        },
        knows: () => false,
      } as unknown as NonNullable<Authority['introspection']>,
    });

  it('is confirmed anew and when it is remembered', async () => {
    const verify = worldOf([asking('active')]);
    const token = tokenOf();
    expect(await verify(token)).toMatchObject(ada);
    expect(await verify(token)).toMatchObject(ada);
    expect(observed).toEqual(['verified', 'signed', 'remembered', 'signed']);
  });

  it('is refused once its server says so', async () => {
    expect(await worldOf([asking('inactive')])(tokenOf())).toEqual(
      refused('token_inactive', "a says that it isn't active"),
    );
  });

  it('is its own word where only opaque ones are asked about', async () => {
    const verify = worldOf([asking('inactive', 'opaque')]);
    const token = tokenOf();
    expect(await verify(token)).toMatchObject(ada);
    expect(verify(token)).toMatchObject(ada);
    expect(observed).toEqual(['verified', 'remembered']);
  });
});
