import { randomUUID } from 'node:crypto';

import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey } from 'jose';

import { Authorities } from '../../src/authorization-servers/authority.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { RememberedSignatures } from '../../src/token/remembered-signatures.ts';
import { verifyAccessToken } from '../../src/token/verify-access-token.ts';
import { silentObserver as observer } from '../../src/vocabulary/observer.ts';

export const issuer = 'https://login.example.com';
export const audience = 'https://mcp.example.com/mcp';

/** The gateway's verification in this process, on one key, without a network. */
export interface Verifier {
  readonly alg: string;
  readonly publicKey: CryptoKey;
  /** A token unlike all others, as RFC 9068 has it, good for an hour. */
  readonly mint: () => Promise<string>;
  /** Rejects where the token is refused. */
  readonly verify: (token: string, connection: object) => Promise<void>;
  /** From here on no token is remembered. */
  readonly forget: () => void;
  /** Ends its timers. */
  readonly close: () => void;
}

const keysUrl = `${issuer}/jwks`;
const yaml = `publicUrl: https://mcp.example.com
authorizationServers: [{ issuer: '${issuer}', discovery: off, jwksUri: '${keysUrl}' }]
routes: [{ path: /mcp, upstream: 'http://localhost:8000/mcp' }]
`;

export async function createVerifier(alg: string): Promise<Verifier> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const kid = 'bench-1';
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }] });
  const fetchKeys = async (): Promise<Response> =>
    new Response(keys, { headers: { 'content-type': 'application/jwk-set+json' } });
  const loaded = loadConfiguration(yaml, { file: 'bench.yaml', environment: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error('the configuration of the bench has faults');
  const { configuration } = loaded;
  const [route] = configuration.routes;
  if (route === undefined) throw new Error('the configuration of the bench has no route');
  const authorities = new Authorities(configuration, { clock: Date.now, fetch: fetchKeys, observer });
  const parts = { authorities, observer, clock: Date.now };
  let remembered = new RememberedSignatures();
  return {
    alg,
    publicKey,
    mint: () => mintToken(privateKey, { alg, kid, typ: 'at+jwt' }),
    async verify(token, connection) {
      const verdict = await verifyAccessToken({ token, scheme: 'Bearer', connection }, route, {
        ...parts,
        remembered,
      });
      if (!verdict.ok) throw new Error(`a good token was refused: ${verdict.refusal.reason}`);
    },
    forget: () => {
      remembered = new RememberedSignatures();
    },
    close: () => authorities.close(),
  };
}

function mintToken(
  privateKey: CryptoKey,
  header: { readonly alg: string; readonly kid: string; readonly typ: string },
): Promise<string> {
  return new SignJWT({ client_id: 'bench-client', scope: 'mcp:use' })
    .setProtectedHeader({ ...header })
    .setIssuer(issuer)
    .setSubject('bench-user')
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('1h')
    .setJti(randomUUID())
    .sign(privateKey);
}
