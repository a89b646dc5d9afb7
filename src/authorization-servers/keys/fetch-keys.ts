import type { AuthorizationServer } from '../../config/configuration.ts';
import type { Fetch } from '../../vocabulary/ports.ts';
import type { FailedFetch } from '../outbound/fetch-document.ts';
import { deadlineIn, fetchDocument } from '../outbound/fetch-document.ts';
import type { Metadata } from '../metadata/fetch-metadata.ts';
import type { ServerMetadata } from '../metadata/metadata.ts';
import type { SigningKey } from './signing-key.ts';
import { readSigningKeys } from './signing-key.ts';

export type LoadedKeys = { readonly ok: true; readonly keys: SigningKey[] } | FailedFetch;

export interface KeySource {
  readonly server: AuthorizationServer;
  readonly metadata: ServerMetadata;
  readonly fetch: Fetch;
}

/**
 * Fetches the keys of one authorization server: from the configured `jwksUri`, else from where its metadata
 * says; both together within the server's time-out. No keys where it names none and needs none.
 */
export async function fetchKeys({ server, metadata, fetch }: KeySource): Promise<LoadedKeys> {
  const deadline = deadlineIn(server.keys.timeout);
  const address = await keyAddress(server, metadata);
  if (!address.ok) return (await hasNoKeys(server, metadata)) ? { ok: true, keys: [] } : address;
  const { url } = address;
  const fetched = await fetchDocument(fetch, url, deadline);
  if (!fetched.ok) return fetched;
  const keys = readSigningKeys(fetched.document);
  if (keys === undefined) return invalid(`${url} isn't a key set of at most 100 keys`);
  // An empty set would log everyone out; it is a fault of the server's, not a rotation.
  if (keys.length === 0) return invalid(`${url} has no usable signing key`);
  return { ok: true, keys };
}

type Address = { readonly ok: true; readonly url: string } | FailedFetch;

/** Where the keys are; whether that address may be asked is for the server's own `fetch` to say. */
export async function keyAddress(server: AuthorizationServer, metadata: ServerMetadata): Promise<Address> {
  if (server.jwksUri !== undefined) return { ok: true, url: server.jwksUri };
  const answer = await metadata.get();
  return answer.ok ? readJwksUri(answer.metadata) : answer;
}

/** RFC 8414 §2: `jwks_uri` may be left out, and a server that issues opaque tokens alone has no use for it. */
async function hasNoKeys(server: AuthorizationServer, metadata: ServerMetadata): Promise<boolean> {
  if (server.jwksUri !== undefined || server.introspection?.for !== 'opaque') return false;
  const answer = await metadata.get();
  return answer.ok && !('jwks_uri' in answer.metadata.members);
}

function readJwksUri({ url, members }: Metadata): Address {
  const { jwks_uri: jwksUri } = members;
  return typeof jwksUri === 'string' && URL.canParse(jwksUri)
    ? { ok: true, url: jwksUri }
    : invalid(`${url} has no jwks_uri`);
}

function invalid(detail: string): FailedFetch {
  return { ok: false, failure: 'invalid', detail };
}
