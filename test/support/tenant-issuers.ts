/** One login server with an issuer, keys and metadata of its own for each tenant; it counts what it was asked. */
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { TokenParts } from './issuer.ts';
import { closeServer, host, listenOnLoopback } from './loopback.ts';
import { mintKey, signCompact, type SigningKey } from './signing-key.ts';

export interface TenantIssuersOptions {
  readonly tenants: readonly string[];
  /** Where `{tenant}` stands; default `/t/{tenant}`. */
  readonly path?: string;
  /** Whether all tenants sign with one key, as some providers have it. */
  readonly keys?: 'own' | 'shared';
}

export async function startTenantIssuers(options: TenantIssuersOptions): Promise<TenantIssuers> {
  const server = createServer();
  return new TenantIssuers(server, await listenOnLoopback(server), options);
}

export class TenantIssuers implements AsyncDisposable {
  readonly origin: string;
  /** The issuer with `{tenant}` in it. */
  readonly template: string;
  /** Paths that were asked for, in order. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #keys: ReadonlyMap<string, SigningKey>;
  readonly #documents: ReadonlyMap<string, unknown>;

  constructor(
    server: Server,
    port: number,
    { tenants, path = '/t/{tenant}', keys = 'own' }: TenantIssuersOptions,
  ) {
    this.#server = server;
    this.origin = `http://${host}:${port}`;
    this.template = `${this.origin}${path}`;
    const shared = mintKey('ES256');
    this.#keys = new Map(tenants.map((tenant) => [tenant, keys === 'own' ? mintKey('ES256') : shared]));
    this.#documents = new Map<string, unknown>(
      tenants.flatMap((tenant) => {
        const jwks = `${path.replace('{tenant}', tenant)}/jwks`;
        const metadata = { issuer: this.url(tenant), jwks_uri: `${this.origin}${jwks}` };
        return [
          [`/.well-known/oauth-authorization-server${path.replace('{tenant}', tenant)}`, metadata],
          [jwks, { keys: [this.key(tenant).publicJwk] }],
        ] as const;
      }),
    );
    server.on('request', (request, response) => {
      const asked = request.url ?? '';
      this.requests.push(asked);
      const document = this.#documents.get(asked);
      response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(document ?? {}));
    });
  }

  /** The `iss` of a tenant's tokens. */
  url(tenant: string): string {
    return this.template.replace('{tenant}', () => tenant);
  }

  key(tenant: string): SigningKey {
    const key = this.#keys.get(tenant);
    if (key === undefined) throw new Error(`there is no tenant ${tenant}`);
    return key;
  }

  /** A valid access token of a tenant, for the audience in `claims`, but for what `parts` changes. */
  token(tenant: string, parts: TokenParts = {}): string {
    const { key = this.key(tenant) } = parts;
    if (typeof key !== 'object') throw new Error('say which key signs, or none');
    const now = Math.floor(Date.now() / 1000);
    return signCompact(
      {
        header: { typ: 'at+jwt', alg: key.alg, kid: key.kid, ...parts.header },
        payload: {
          iss: this.url(tenant),
          sub: 'alice',
          iat: now,
          exp: now + 300,
          jti: randomUUID(),
          client_id: 'test-client',
          ...parts.claims,
        },
      },
      key,
    );
  }

  close(): Promise<void> {
    return closeServer(this.#server);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
