/** A client's DPoP key (RFC 9449) and the proofs it makes, good ones and any other. */
import { createHash, randomUUID } from 'node:crypto';
import { mintKey, signCompact, type SigningAlgorithm, type SigningKey } from './signing-key.ts';

export interface ProofParts {
  /** Over the defaults; `undefined` removes a claim. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Over the defaults; `undefined` removes a member. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Signs instead of the key that the proof names. */
  readonly signedBy?: Parameters<typeof signCompact>[1];
}

export interface ProvedRequest {
  /** Default `POST`. */
  readonly method?: string;
  readonly url: string;
  readonly token: string;
}

export class ProofKey {
  readonly key: SigningKey;
  /** Its public members alone. */
  readonly jwk: Readonly<Record<string, unknown>>;
  /** RFC 7638: what a token bound to it has in `cnf.jkt`. */
  readonly jkt: string;
  readonly #now: () => number;

  /** `now` in seconds since the epoch. */
  constructor(alg: SigningAlgorithm = 'ES256', now: () => number = () => Math.floor(Date.now() / 1000)) {
    this.key = mintKey(alg);
    const { kid: _kid, alg: _alg, use: _use, ...jwk } = this.key.publicJwk;
    this.jwk = jwk;
    this.jkt = createHash('sha256')
      .update(
        JSON.stringify(Object.fromEntries(Object.entries(jwk).toSorted(([a], [b]) => (a < b ? -1 : 1)))),
      )
      .digest('base64url');
    this.#now = now;
  }

  /** Good for this request but for what `parts` changes. */
  proof({ method = 'POST', url, token }: ProvedRequest, parts: ProofParts = {}): string {
    const header = { typ: 'dpop+jwt', alg: this.key.alg, jwk: this.jwk, ...parts.header };
    const payload = {
      jti: randomUUID(),
      htm: method,
      htu: url,
      iat: this.#now(),
      ath: createHash('sha256').update(token).digest('base64url'),
      ...parts.claims,
    };
    return signCompact({ header, payload }, parts.signedBy ?? this.key);
  }

  /** The lines of a request with this proof. */
  lines(request: ProvedRequest, parts: ProofParts = {}): readonly string[] {
    return [`Authorization: DPoP ${request.token}`, `DPoP: ${this.proof(request, parts)}`];
  }
}
