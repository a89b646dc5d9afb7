import type { Principal } from './principal.ts';

/** What is known of a browser on one of the pages where a person logs in at an upstream; for the audit. */
export interface LoginVisit {
  /** Name of the route whose upstream it is. */
  readonly route: string;
  /** What the visit is for: `login/start`, `login/identity`, `login/consent` or `login/callback`. */
  readonly step: string;
  /** Whom it was proved to be, at the authorization server and by the client of `login`; null before. */
  readonly person: Pick<Principal, 'issuer' | 'subject' | 'clientId'> | null;
}
