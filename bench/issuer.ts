import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { SignJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose';

export interface Issuer {
  readonly issuer: string;
  /** What its tokens are verified with, for those who take no JWKS. */
  readonly publicKeyPem: string;
  /** An RS256 access token as RFC 9068 has it, good for an hour. */
  readonly mintToken: (audience: string) => Promise<string>;
  /** How often the keys were asked for so far. */
  readonly keyFetches: () => number;
  readonly close: () => void;
}

/** A tiny authorization server: metadata (RFC 8414) and JWKS, on loopback, with a key that lives as long as the run. */
export async function startIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'bench-1', alg: 'RS256', use: 'sig' };
  const documents = new Map<string, unknown>();
  let keyFetches = 0;
  const server = createServer((request, response) => {
    const document = documents.get(request.url ?? '');
    if (request.url === '/jwks') keyFetches += 1;
    response.writeHead(document === undefined ? 404 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  await once(server.listen(0, 'localhost'), 'listening');
  const { port } = server.address() as AddressInfo;
  const issuer = `http://localhost:${port}`;
  const metadata = { issuer, jwks_uri: `${issuer}/jwks`, response_types_supported: ['code'] };
  documents.set('/jwks', { keys: [jwk] });
  documents.set('/.well-known/oauth-authorization-server', metadata);
  documents.set('/.well-known/openid-configuration', metadata);

  return {
    issuer,
    publicKeyPem: await exportSPKI(publicKey),
    mintToken: (audience) =>
      new SignJWT({ client_id: 'bench-client', scope: 'mcp:use' })
        .setProtectedHeader({ alg: 'RS256', kid: jwk.kid, typ: 'at+jwt' })
        .setIssuer(issuer)
        .setSubject('bench-user')
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('1h')
        .setJti(randomUUID())
        .sign(privateKey),
    keyFetches: () => keyFetches,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
