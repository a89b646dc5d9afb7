import type { LoginVisit } from '../../vocabulary/login-visit.ts';
import type { Refusal, UserLoginReason } from '../../vocabulary/refusal.ts';
import type { Place } from './place.ts';
import type { LoginLink } from './login-seal.ts';

/** What the browser is told, and what it has to keep until the next step; `held` undefined: nothing. */
export type Told = {
  /** Undefined where it isn't known whose login it is about. */
  readonly about: LoginVisit | undefined;
} & (
  | { readonly is: 'redirect'; readonly to: string; readonly held: string }
  | { readonly is: 'page'; readonly page: string; readonly held: string | undefined }
  /** `isOver`: the browser need not keep anything; what somebody else sent here ends no login. */
  | { readonly is: 'refused'; readonly refusal: Refusal; readonly isOver: boolean }
);

/** For the audit; without `person` nobody was proved yet. */
export function visit(
  { route, prover }: Place,
  step: 'start' | 'identity' | 'consent' | 'callback',
  person?: LoginLink['person'],
): LoginVisit {
  return {
    route: route.name,
    step: `login/${step}`,
    person: person === undefined ? null : { ...person, clientId: prover.client.clientId },
  };
}

export function refused(
  about: LoginVisit | undefined,
  reason: UserLoginReason,
  detail: string,
  visitor?: string,
): Told {
  const refusal: Refusal = {
    kind: 'user-login-refused',
    reason,
    detail,
    ...(visitor === undefined ? {} : { visitor }),
  };
  return { is: 'refused', refusal, about, isOver: !untouched.has(reason) };
}

const untouched: ReadonlySet<UserLoginReason> = new Set([
  'login_link',
  'login_link_used',
  'login_browser',
  'login_form',
] as const);

export function busy(about: LoginVisit): Told {
  return refused(about, 'login_unavailable', 'as many logins as there may be wait for other servers already');
}

export function otherBrowser(opened: 'ended' | undefined): Told {
  return refused(
    undefined,
    'login_browser',
    opened === 'ended' ? 'it took too long' : 'this browser has begun no login, or another one since',
  );
}
