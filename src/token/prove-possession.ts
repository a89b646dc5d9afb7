import type { Configuration, Dpop, Route } from '../config/configuration.ts';
import type { ReplayStore } from '../state/replay-store.ts';
import type { Principal } from '../vocabulary/principal.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { keyOf } from './check-claims.ts';
import {
  checkAge,
  checkBinding,
  checkMethod,
  checkTarget,
  checkTokenHash,
  replayTtlMs,
} from './check-dpop.ts';
import { ProofNonces } from './dpop-nonce.ts';
import type { Proof, ProofFault } from './dpop-proof.ts';
import { verifyProof } from './dpop-proof.ts';

/** A request as it came, with the token in it. */
export interface SentRequest {
  readonly rawHeaders: readonly string[];
  readonly method: string;
  readonly token: string;
}

export interface PossessionParts {
  readonly replays: ReplayStore;
  readonly nonces: ProofNonces;
  /** Scheme, host and port of the public URL. */
  readonly publicOrigin: string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** The same for all routes. */
export function possessionParts(
  { publicUrl, sessions }: Configuration,
  { replays, clock }: Pick<PossessionParts, 'replays' | 'clock'>,
): PossessionParts {
  const { origin } = new URL(publicUrl);
  return { replays, clock, nonces: new ProofNonces(sessions.key, sessions.previous), publicOrigin: origin };
}

export type Possession =
  | {
      readonly ok: true;
      /** For the client's next proofs, where the one it used comes to its end. */
      readonly nextNonce: string | undefined;
    }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Whether the sender holds the key that its token is bound to (RFC 9449 §4.3, §7.1): one proof, well signed, for
 * this method, route and token, made now, never used before. It is counted as used only once all else held, so
 * that no one can use up another's proofs or fill the store with bad ones.
 */
export async function provePossession(
  request: SentRequest,
  { claims }: Pick<Principal, 'claims'>,
  route: Route,
  parts: PossessionParts,
): Promise<Possession> {
  const { dpop } = route;
  const jkt = keyOf(claims);
  if (dpop === undefined || jkt === undefined)
    throw new Error('a proof is looked at only for a verified token that is bound to a key');
  const proof = await readProof(request.rawHeaders, dpop);
  if ('reason' in proof) return refused(proof);
  const nowMs = parts.clock();
  const fault = checkBinding(proof, jkt) ?? checkUse(proof, request, { route, dpop, parts, nowMs });
  if (fault !== undefined) return refused(fault);
  const nonce = parts.nonces.current(nowMs);
  if (dpop.nonce && !parts.nonces.accepts(proof.claims['nonce'], nowMs))
    return { ok: false, refusal: { kind: 'proof-nonce-needed', reason: 'proof_nonce', nonce } };
  const refusal = await useUp(proof, dpop, parts.replays);
  if (refusal !== undefined) return { ok: false, refusal };
  return { ok: true, nextNonce: dpop.nonce && proof.claims['nonce'] !== nonce ? nonce : undefined };
}

async function readProof(rawHeaders: readonly string[], dpop: Dpop): Promise<Proof | ProofFault> {
  const lines = rawHeaders.filter(
    (_value, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'dpop',
  );
  const [text] = lines;
  if (text === undefined) return { reason: 'proof_missing' };
  return lines.length > 1 ? { reason: 'proof_repeated' } : verifyProof(text, dpop.algorithms);
}

interface Circumstances {
  readonly route: Route;
  readonly dpop: Dpop;
  readonly parts: PossessionParts;
  readonly nowMs: number;
}

/** What it was made for: this request, now, with this token. */
function checkUse(
  proof: Proof,
  { method, token }: SentRequest,
  { route, dpop, parts, nowMs }: Circumstances,
): ProofFault | undefined {
  const targets = [...new Set([`${parts.publicOrigin}${route.path}`, route.resource])];
  const { knowsSinceMs } = parts.replays;
  return (
    checkMethod(proof, method) ??
    checkTarget(proof, targets) ??
    checkAge(proof, { nowMs, windowMs: dpop.window, knowsSinceMs }) ??
    checkTokenHash(proof, token)
  );
}

async function useUp(
  { thumbprint, jti }: Proof,
  { window }: Dpop,
  replays: ReplayStore,
): Promise<Refusal | undefined> {
  const claim = await replays.claim({ holder: thumbprint, id: jti, ttlMs: replayTtlMs(window) });
  switch (claim) {
    case 'new':
      return undefined;
    case 'seen':
      return { kind: 'proof-invalid', reason: 'proof_replayed' };
    case 'full':
      return { kind: 'replay-unknown', reason: 'replay_store_full', retryAfterSeconds: 5 };
    case 'unavailable':
      return { kind: 'replay-unknown', reason: 'replay_store_unavailable', retryAfterSeconds: 2 };
    default:
      return claim satisfies never;
  }
}

function refused(fault: ProofFault): Possession {
  return { ok: false, refusal: { kind: 'proof-invalid', ...fault } };
}
