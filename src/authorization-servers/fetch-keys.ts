import type { AuthorizationServer } from '../config/configuration.ts';
import type { Fetch } from '../vocabulary/ports.ts';
import { fetchDocument } from './fetch-document.ts';
import type { Metadata, ServerMetadata } from './metadata.ts';
import { limitsOf } from './metadata.ts';
import type { SigningKey } from './signing-key.ts';
import { readSigningKeys } from './signing-key.ts';

export type LoadedKeys =
  | { readonly ok: true; readonly keys: SigningKey[] }
  | { readonly ok: false; readonly detail: string };

export interface KeySource {
  readonly server: AuthorizationServer;
  readonly metadata: ServerMetadata;
  readonly fetch: Fetch;
}

/** Fetches the keys of one authorization server: from the configured `jwksUri`, else from where its metadata says. */
export async function fetchKeys({ server, metadata, fetch }: KeySource): Promise<LoadedKeys> {
  const address = await keyAddress(server, metadata);
  if (!address.ok) return address;
  const { url } = address;
  const fetched = await fetchDocument(fetch, url, limitsOf(server));
  if (!fetched.ok) return fetched;
  const keys = readSigningKeys(fetched.document);
  if (keys === undefined) return { ok: false, detail: `${url} isn't a key set of at most 100 keys` };
  // An empty set would log everyone out; it is a fault of the server's, not a rotation.
  if (keys.length === 0) return { ok: false, detail: `${url} has no usable signing key` };
  return { ok: true, keys };
}

type Address = { readonly ok: true; readonly url: string } | { readonly ok: false; readonly detail: string };

async function keyAddress(server: AuthorizationServer, metadata: ServerMetadata): Promise<Address> {
  if (server.jwksUri !== undefined) return { ok: true, url: server.jwksUri };
  const answer = await metadata.get();
  return answer.ok ? readJwksUri(answer.metadata, server.issuers[0]) : answer;
}

function readJwksUri({ url, members }: Metadata, issuer: string): Address {
  const { jwks_uri: jwksUri } = members;
  if (typeof jwksUri !== 'string' || !URL.canParse(jwksUri))
    return { ok: false, detail: `${url} has no jwks_uri` };
  const { protocol, origin } = new URL(jwksUri);
  // A document must not talk us down to plain http on another host.
  if (protocol !== 'https:' && origin !== new URL(issuer).origin) {
    return {
      ok: false,
      detail: `${url} names a jwks_uri that is neither https nor at the issuer's own origin`,
    };
  }
  return { ok: true, url: jwksUri };
}
