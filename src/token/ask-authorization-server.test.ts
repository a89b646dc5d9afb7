import { beforeEach, describe, expect, it } from 'vitest';

import type { Authorities, Authority } from '../authorization-servers/authority.ts';
import type { NotIntrospected } from '../authorization-servers/introspection/introspection.ts';
import type { Introspected } from '../authorization-servers/introspection/introspection-memory.ts';
import type { AuthorizationServer, Route } from '../config/configuration.ts';
import {
  confirmActive,
  takesOpaqueTokens,
  verifyOpaqueToken,
  wasOnceActive,
} from './ask-authorization-server.ts';
import { principalOf } from './principal.ts';
import type { VerifiedSignature } from './remembered-signatures.ts';
import type { Step } from './trace.ts';
import type { Presentation, VerifierParts } from './verify-access-token.ts';

type Answer = Introspected | NotIntrospected;
type Asked = readonly [server: string, token: string, kind: string];

const nowMs = 1_800_000_000_000;
const claims = { sub: 'ada', aud: 'https://mcp.example.com/mcp', exp: nowMs / 1000 + 60 };
const active: Answer = { outcome: 'active', claims };
const inactive: Answer = { outcome: 'inactive', expired: false };
const expired: Answer = { outcome: 'inactive', expired: true };
const unavailable: Answer = {
  outcome: 'unavailable',
  reason: 'introspection_failed',
  retryAfterSeconds: 3,
  detail: 'it answered 500',
};

let asked: Asked[];
let steps: Step[];

beforeEach(() => {
  [asked, steps] = [[], []];
});

/** A server that gives this answer; without one it isn't configured to be asked. */
function authority(name: string, answer?: Answer | Promise<Answer>, known = false): Authority {
  const server = {
    name,
    issuers: ['https://login.example.com'],
    audiences: [],
    tokenTypes: ['at+jwt'],
    leeway: 0,
    requireExp: true,
    verify: { exp: true, nbf: true, iat: true, iss: true },
    claims: { clientId: ['client_id'], scopes: ['scope'], email: 'email' },
    ...(answer === undefined ? {} : { introspection: { for: 'opaque' } }),
  } as unknown as AuthorizationServer;
  const introspection = {
    inspect(token: string, kind: string) {
      asked.push([name, token, kind]);
      return answer;
    },
    knows: () => known,
  };
  return { server, ...(answer === undefined ? {} : { introspection }) } as unknown as Authority;
}

function routeOf(...authorities: readonly Authority[]): Route {
  return {
    name: 'tools',
    resource: 'https://mcp.example.com/mcp',
    upstream: { token: 'strip' },
    authorizationServers: authorities.map(({ server }) => server),
  } as unknown as Route;
}

function partsOf(...authorities: readonly Authority[]): VerifierParts {
  return {
    authorities: {
      of: (server: AuthorizationServer) => authorities.find((each) => each.server === server),
    } as unknown as Authorities,
    clock: () => nowMs,
    trace: (step: Step) => steps.push(step),
  } as unknown as VerifierParts;
}

const presentation: Presentation = { token: 'opaque', scheme: 'Bearer', connection: {} };
const judge = (...authorities: readonly Authority[]) =>
  verifyOpaqueToken(presentation, routeOf(...authorities), partsOf(...authorities));

const later = (answer: Answer): Promise<Answer> => Promise.resolve(answer);
const ada = { ok: true, principal: { subject: 'ada', authorizationServer: 'a' } };
const invalid = (reason: string, server = 'a') => ({
  ok: false,
  refusal: { kind: 'token-invalid', reason, detail: `${server} says that it isn't active` },
});
const unknown = (server = 'a') => ({
  ok: false,
  refusal: {
    kind: 'authorization-server-unavailable',
    reason: 'introspection_failed',
    retryAfterSeconds: 3,
    detail: `${server}: it answered 500`,
  },
});

describe('a route', () => {
  it('takes opaque tokens where one of its servers can be asked', () => {
    expect(takesOpaqueTokens(routeOf(authority('a'), authority('b', active)))).toBe(true);
    expect(takesOpaqueTokens(routeOf(authority('a')))).toBe(false);
  });

  it('knows a token again that one of its servers once called active', () => {
    const known = (...authorities: readonly Authority[]): boolean =>
      wasOnceActive('opaque', routeOf(...authorities), partsOf(...authorities));
    expect(known(authority('a'), authority('b', inactive, true))).toBe(true);
    expect(known(authority('a'), authority('b', inactive, false))).toBe(false);
    expect(known(authority('a', active, false), authority('b', inactive, true))).toBe(true);
  });
});

describe('an opaque token (I1)', () => {
  it('is what its server says, at once where that is remembered', () => {
    expect(judge(authority('a', active))).toMatchObject(ada);
    expect(judge(authority('a', inactive))).toEqual(invalid('token_inactive'));
    expect(judge(authority('a', expired))).toEqual(invalid('token_expired'));
    expect(judge(authority('a', unavailable))).toEqual(unknown());
    expect(asked).toEqual(Array.from({ length: 4 }, () => ['a', 'opaque', 'unknown']));
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 4 }, () => 'introspection'));
  });

  it('is held to what any token is held to', () => {
    expect(judge(authority('a', { outcome: 'active', claims: { ...claims, aud: 'x' } }))).toMatchObject({
      ok: false,
      refusal: { kind: 'token-invalid', reason: 'token_audience' },
    });
  });

  it('waits for the server where it has to be asked', async () => {
    expect(await judge(authority('a', later(active)))).toMatchObject(ada);
    expect(await judge(authority('a', later(expired)))).toEqual(invalid('token_expired'));
  });

  it('is shown to the servers in their order, up to the first that calls it active', async () => {
    const also: Answer = { outcome: 'active', claims: { ...claims } };
    const [a, b, c] = [authority('a', inactive), authority('b', later(also)), authority('c', active)];
    expect(await judge(authority('0'), a, b, c)).toMatchObject({
      ok: true,
      principal: { authorizationServer: 'b' },
    });
    expect(asked).toEqual([
      ['a', 'opaque', 'unknown'],
      ['b', 'opaque', 'unknown'],
    ]);
  });

  it('is judged without anyone who hears of it', () => {
    const a = authority('a', inactive);
    const { trace: _trace, ...unheard } = partsOf(a);
    expect(verifyOpaqueToken(presentation, routeOf(a), unheard)).toEqual(invalid('token_inactive'));
  });

  it('is shown to no other where the first calls it active at once', () => {
    expect(judge(authority('a', active), authority('b', active))).toMatchObject(ada);
    expect(asked).toEqual([['a', 'opaque', 'unknown']]);
  });

  it('is unknown where one couldn’t be asked, and expired where one says so', async () => {
    expect(await judge(authority('a', inactive), authority('b', expired))).toEqual(
      invalid('token_expired', 'b'),
    );
    expect(await judge(authority('a', expired), authority('b', unavailable))).toEqual(unknown('b'));
    expect(await judge(authority('a', inactive), authority('b', inactive))).toEqual(
      invalid('token_inactive', 'a'),
    );
  });

  it('of more than 8192 characters is shown to nobody', () => {
    const a = authority('a', active);
    const judged = (length: number) =>
      verifyOpaqueToken({ ...presentation, token: 'x'.repeat(length) }, routeOf(a), partsOf(a));
    expect(judged(8193)).toEqual({
      ok: false,
      refusal: { kind: 'token-invalid', reason: 'token_too_long', detail: '8193 characters' },
    });
    expect(asked).toEqual([]);
    expect(judged(8192)).toMatchObject(ada);
  });

  it('is a defect on a route where nobody can be asked', () => {
    expect(() => judge(authority('a'))).toThrow('no server of route tools can be asked about opaque tokens');
  });
});

describe('a JWT whose server is asked about it as well (I1)', () => {
  const signed = { ...claims, iss: 'https://login.example.com' };
  const confirm = (answer?: Answer | Promise<Answer>) => {
    const a = authority('a', answer);
    const principal = principalOf(signed, a.server);
    const verified = { authority: a, type: 'at+jwt', claims: signed, principal };
    const use = { route: routeOf(a), parts: partsOf(a) };
    return confirmActive(presentation, verified as unknown as VerifiedSignature, use);
  };

  it('is good while its server calls it active, at once where that is remembered', async () => {
    expect(confirm({ outcome: 'active', claims: {} })).toMatchObject(ada);
    expect(confirm(inactive)).toEqual(invalid('token_inactive'));
    expect(await confirm(later({ outcome: 'active', claims: {} }))).toMatchObject(ada);
    expect(await confirm(later(unavailable))).toEqual(unknown());
    expect(asked.map(([, , kind]) => kind)).toEqual(Array.from({ length: 4 }, () => 'signed'));
  });

  it('is a defect where its server can’t be asked', () => {
    expect(() => confirm()).toThrow("a can't be asked about tokens");
  });
});
