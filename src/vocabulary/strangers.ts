import type { Refusal } from './refusal.ts';

/** What is kept of peers that show no token, or none that is good, by their address. */
export interface Strangers {
  /** Why a token of this peer that isn't known yet is looked at no more; undefined where it is. */
  barred(address: string | undefined): Refusal | undefined;
  /** Counts a refusal for its credentials; answers it, or in its place that the peer has to slow down. */
  judge(address: string | undefined, refusal: Refusal): Refusal;
}
