/** What the credentials stage does for one request, without Fastify: with a static provider, a kept exchanged token, and none. */
import type { FastifyRequest } from 'fastify';
import type { TokenExchange } from '../../src/config/configuration.ts';
import { AskedByRequest } from '../../src/credentials/asked.ts';
import { exchangedCredentials } from '../../src/credentials/exchange/exchanged-credentials.ts';
import { withHeaders } from '../../src/credentials/header-pairs.ts';
import { staticCredentials } from '../../src/credentials/static-credentials.ts';
import type { CredentialProvider } from '../../src/vocabulary/credentials.ts';
import type { Admitted } from '../../src/vocabulary/passage.ts';
import type { Reader } from './time.ts';

const authorization = `Bearer ${'x'.repeat(800)}`;
const lines = [
  ['Host', 'mcp.example.com'],
  ['Authorization', authorization],
  ['Content-Type', 'application/json'],
  ['Accept', 'application/json, text/event-stream'],
  ['User-Agent', 'editor/1.0'],
  ['MCP-Protocol-Version', '2025-11-25'],
  ['Mcp-Session-Id', 'x'.repeat(200)],
] as const;
const passing = lines.slice(2).flat();

const request = {
  raw: { rawHeaders: lines.flat() },
  headers: { authorization },
} as unknown as FastifyRequest;
const principal = {
  issuer: 'https://login.example.com/realms/corp',
  subject: '3f1c0c1e-8a53-4f6c-9b39-0d8c6f1f5a77',
  clientId: 'editor',
  scopes: ['mcp:use'],
};
const passage = { principal, route: {} } as unknown as Admitted;

const exchanged = exchangedCredentials({
  settings: { authorizationServer: { name: 'corp' } } as unknown as TokenExchange,
  clock: Date.now,
  exchange: () => Promise.resolve({ ok: true, token: 'y'.repeat(800), lifetimeSeconds: 3600 }),
});
await exchanged.credentialsFor(new AskedByRequest(request, passage));

/** As the stage does it; the copy stands for the list that the identity stage has made. */
function shownBy(provider: CredentialProvider): unknown {
  const headers = [...passing];
  const answer = provider.credentialsFor(new AskedByRequest(request, passage));
  return answer instanceof Promise || !answer.ok ? undefined : withHeaders(headers, answer.headers);
}

const fixed = staticCredentials('Authorization', `Bearer ${'z'.repeat(40)}`);

/** The last is what there is without credentials. */
export const credentialReaders: readonly Reader[] = [
  { name: 'static', read: () => shownBy(fixed) },
  { name: 'exchanged', read: () => shownBy(exchanged) },
  { name: 'none', read: () => [...passing] },
];
