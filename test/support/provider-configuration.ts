import { randomUUID } from 'node:crypto';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';
import { mintKey } from './signing-key.ts';
import type { MachineClient } from './token-requests.ts';

export interface AuthorizationServerOptions {
  /** Path of the issuer, such as `/realms/corp`; default none. */
  readonly path?: string;
  readonly port?: number;
  /** What a resource may be asked for; default `mcp:use` and `mcp:write`. */
  readonly scopes?: readonly string[];
  /** For authorization requests without a scope, which would be refused; default the first of `scopes`. */
  readonly defaultScope?: string;
  readonly accessTokenSeconds?: number;
  /** Of access tokens for a resource; default `jwt`. */
  readonly accessTokenFormat?: 'jwt' | 'opaque';
  /** Takes its own access tokens for new ones (RFC 8693). */
  readonly exchangesTokens?: boolean;
  /** Confidential clients besides the tests' own, such as a gateway that introspects. */
  readonly clients?: readonly Readonly<Record<string, unknown>>[];
}

interface IssuedFor {
  readonly accountId?: string;
  readonly clientId?: string;
  readonly gty?: string;
}

/** What a resource may be asked for. */
export function scopesOf(options: AuthorizationServerOptions): readonly string[] {
  return options.scopes ?? ['mcp:use', 'mcp:write'];
}

export function providerConfiguration(
  options: AuthorizationServerOptions,
  machine: MachineClient,
): Readonly<Record<string, unknown>> {
  const accessTokenSeconds = options.accessTokenSeconds ?? 3_600;
  const day = 86_400;
  return {
    adapter: createMemoryAdapter(15),
    jwks: {
      keys: [mintKey('RS256').privateKey, mintKey('ES256').privateKey].map((key) =>
        key.export({ format: 'jwk' }),
      ),
    },
    cookies: { keys: [randomUUID()] },
    clients: [
      {
        client_id: machine.id,
        client_secret: machine.secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
      ...(options.clients ?? []).map((client) => ({
        grant_types: [],
        redirect_uris: [],
        response_types: [],
        ...client,
      })),
    ],
    clientBasedCORS: () => true,
    // Any name is an account.
    findAccount: (_context: unknown, accountId: string) => ({
      accountId,
      claims: () => ({ sub: accountId, email: emailOf(accountId) }),
    }),
    extraTokenClaims: (_context: unknown, { accountId, gty, clientId }: IssuedFor) =>
      accountId === undefined
        ? undefined
        : {
            email: emailOf(accountId),
            // RFC 8693 §4.1: who acts for the account.
            ...(gty === 'token_exchange' ? { act: { sub: clientId } } : {}),
          },
    issueRefreshToken: (_context: unknown, client: { grantTypeAllowed(type: string): boolean }) =>
      client.grantTypeAllowed('refresh_token'),
    interactions: {
      url: (_context: unknown, { uid }: { readonly uid: string }) =>
        `${options.path ?? ''}/interaction/${uid}`,
    },
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      Grant: day,
      IdToken: 3_600,
      Interaction: 3_600,
      RefreshToken: day,
      Session: day,
    },
    features: features(options, accessTokenSeconds),
  };
}

function features(
  options: AuthorizationServerOptions,
  accessTokenTTL: number,
): Readonly<Record<string, unknown>> {
  return {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true, allowedPolicy: () => true },
    registration: { enabled: true, idFactory: registerWithoutScope },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_context: unknown, _client: unknown, oneOf?: readonly string[]) => oneOf,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context: unknown, resource: string) => ({
        scope: scopesOf(options).join(' '),
        audience: resource,
        accessTokenTTL,
        accessTokenFormat: options.accessTokenFormat ?? 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  };
}

/**
 * A registered `scope` would limit the client for ever, and step-up would fail. The id is asked for after the
 * registration was read and before the client is made: the one place to leave the scope out.
 */
function registerWithoutScope({
  oidc,
}: {
  readonly oidc: { readonly body?: Record<string, unknown> };
}): string {
  delete oidc.body?.['scope'];
  return randomUUID();
}

function emailOf(accountId: string): string {
  return `${accountId}@example.com`;
}
