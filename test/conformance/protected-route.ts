import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { startIssuer } from '../support/issuer.ts';
import { host, reserveFreePort } from '../support/loopback.ts';

/** The gateway with one route before a server, and a token that the route accepts. */
export interface ProtectedRoute extends AsyncDisposable {
  readonly url: string;
  readonly origin: string;
  readonly token: string;
  readonly audit: RunningGateway['audit'];
  /** Throws if the gateway let nothing pass, or saw a request without a token: then nothing was tested. */
  requireUse(): void;
}

/** Longer than any run: the suite can't fetch a new one. */
const tokenLifetimeSeconds = 1_800;

export async function startProtectedRoute(upstream: string): Promise<ProtectedRoute> {
  const port = await reserveFreePort();
  const origin = `http://${host}:${port}`;
  const url = `${origin}/mcp`;
  const issuer = await startIssuer({ audience: url, algorithms: ['ES256'] });
  const yaml = `
authorizationServers: [{ name: corp, issuer: '${issuer.url}' }]
routes: [{ name: tools, path: /mcp, scopes: [mcp:use], origins: ['${origin}'], upstream: '${upstream}' }]
`;
  const gateway = await startGateway(yaml, { port });
  const now = Math.floor(Date.now() / 1_000);
  return {
    url,
    origin,
    token: issuer.token({ claims: { iat: now, exp: now + tokenLifetimeSeconds } }),
    get audit() {
      return gateway.audit;
    },
    requireUse() {
      const reasons = new Set(gateway.audit.map(({ reason }) => reason));
      if (!reasons.has('ok')) throw new Error('nothing passed the gateway');
      if (reasons.has('no_credentials')) throw new Error('a request had no token');
    },
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await issuer.close();
    },
  };
}
