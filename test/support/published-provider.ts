/**
 * An identity provider as a gateway meets it: its documents at the addresses where it really publishes them,
 * 404 anywhere else, and tokens signed with a key of its own. It takes the place of the network.
 */
import type { Fetch } from '../../src/vocabulary/ports.ts';
import { mintKey, signCompact, type SharedSecret, type SigningKey } from './signing-key.ts';

export interface Publication {
  readonly issuer: string;
  /** Bodies by URL; `keys` stands for the key set. */
  readonly documents: Readonly<Record<string, unknown>>;
  /** Members that the provider's keys have besides `kty`, `n`, `e`, `kid` and `use`; default `alg`. */
  readonly keyMembers?: Readonly<Record<string, unknown>>;
  /** Keys that are published beside the one that signs tokens. */
  readonly otherKeys?: readonly Readonly<Record<string, unknown>>[];
}

export interface ProvidedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

export class PublishedProvider {
  readonly issuer: string;
  readonly key: SigningKey = mintKey('RS256');
  /** What was asked for, in order. */
  readonly asked: string[] = [];
  readonly #publication: Publication;

  constructor(publication: Publication) {
    this.issuer = publication.issuer;
    this.#publication = publication;
  }

  /** For the gateway, in the place of the network. */
  readonly fetch: Fetch = async (url) => {
    this.asked.push(url);
    const document = this.#publication.documents[url];
    if (document === undefined) return Response.json({ error: 'not found' }, { status: 404 });
    return Response.json(document === 'keys' ? this.#keySet() : document);
  };

  /** With the published key, unless another is given. */
  sign({ header, claims }: ProvidedToken, key: SigningKey | SharedSecret = this.key): string {
    return signCompact({ header: { alg: key.alg, kid: key.kid, ...header }, payload: claims }, key);
  }

  #keySet(): unknown {
    const { keyMembers = { alg: this.key.alg }, otherKeys = [] } = this.#publication;
    const { kty, n, e, kid } = this.key.publicJwk;
    return { keys: [...otherKeys, { kty, n, e, kid, use: 'sig', ...keyMembers }] };
  }
}

/** `iat` and `exp` of a token that was issued a moment ago, in seconds. */
export function issuedNow(lifetimeSeconds = 3600): { readonly iat: number; readonly exp: number } {
  const iat = Math.floor(Date.now() / 1000) - 5;
  return { iat, exp: iat + lifetimeSeconds };
}
