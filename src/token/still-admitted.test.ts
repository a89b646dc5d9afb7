import type { FastifyRequest } from 'fastify';
import { expect, it } from 'vitest';

import type { Authority } from '../authorization-servers/authority.ts';
import type { AuthorizationServer, Route } from '../config/configuration.ts';
import { RememberedSignatures } from './remembered-signatures.ts';
import { isStillAdmitted } from './still-admitted.ts';
import type { VerifierParts } from './verify-access-token.ts';

const nowMs = 1_800_000_000_000;
const server = {
  name: 'as',
  issuers: ['https://as.example'],
  audiences: ['tools'],
  tokenTypes: [],
  leeway: 0,
  verify: { exp: true, nbf: true, iat: true, iss: true },
  claims: { clientId: [], scopes: ['scope'], email: 'email' },
  introspection: { for: 'opaque' },
} as unknown as AuthorizationServer;
const route = {
  scopes: ['use'],
  authorizationServers: [server],
  upstream: { token: 'strip' },
} as unknown as Route;
const good = { sub: 'ada', aud: 'tools', scope: 'use' };

const answers: Readonly<Record<string, unknown>> = {
  good: { outcome: 'active', claims: { ...good } },
  bound: { outcome: 'active', claims: { ...good, cnf: { jkt: 'A'.repeat(43) } } },
  'of-other-scopes': { outcome: 'active', claims: { ...good, scope: 'other' } },
  'for-others': { outcome: 'active', claims: { ...good, aud: 'x' } },
  revoked: { outcome: 'inactive', expired: false },
  expired: { outcome: 'inactive', expired: true },
  unknown: { outcome: 'unavailable', reason: 'introspection_failed', retryAfterSeconds: 1, detail: '' },
};
const authority = {
  server,
  introspection: { inspect: (token: string) => answers[token] },
} as unknown as Authority;
const parts = {
  authorities: { of: () => authority },
  remembered: new RememberedSignatures(),
  observer: { signatureChecked: () => undefined },
  clock: () => nowMs,
} as unknown as VerifierParts;

const judge = (authorization: string | undefined, on = route): Promise<boolean> => {
  const rawHeaders = authorization === undefined ? [] : ['Authorization', authorization];
  return isStillAdmitted({ raw: { rawHeaders, socket: {} } } as unknown as FastifyRequest, on, parts);
};

it.each<[string | undefined, boolean]>([
  ['Bearer good', true],
  ['Bearer of-other-scopes', false],
  ['Bearer for-others', false],
  ['Bearer revoked', false],
  ['Bearer expired', true],
  ['Bearer unknown', true],
  ['Bearer', false],
  ['DPoP bound', false],
  [undefined, false],
])('the stream that was opened with %j goes on: %s', async (authorization, goesOn) => {
  expect(await judge(authorization)).toBe(goesOn);
});

it('a stream that was opened with a bound token goes on where the route takes such', async () => {
  const dpop = { mode: 'optional' } as NonNullable<Route['dpop']>;
  expect(await judge('DPoP bound', { ...route, dpop })).toBe(true);
  expect(await judge('Bearer bound', { ...route, dpop })).toBe(false);
});
