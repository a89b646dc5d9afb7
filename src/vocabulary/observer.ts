/** What stages tell telemetry besides the outcome of a request; never a credential. */
export interface Observer {
  readonly signatureChecked: (outcome: 'remembered' | 'verified' | 'failed') => void;
  readonly keysFetched: (report: KeyFetch) => void;
  readonly introspected: (authorizationServer: string, outcome: IntrospectionOutcome) => void;
  readonly introspectionSwitched: (report: IntrospectionSwitch) => void;
  readonly streamOpened: (route: string) => void;
  readonly streamClosed: (route: string) => void;
  /** A request was counted towards a rate in this process because Redis didn't answer. */
  readonly countedAlone: () => void;
  readonly upstreamTokenSought: (report: UpstreamTokenSearch) => void;
}

const hearNothing = (): void => {};

/** For commands that count nothing. */
export const silentObserver: Observer = {
  signatureChecked: hearNothing,
  keysFetched: hearNothing,
  introspected: hearNothing,
  introspectionSwitched: hearNothing,
  streamOpened: hearNothing,
  streamClosed: hearNothing,
  countedAlone: hearNothing,
  upstreamTokenSought: hearNothing,
};

export type KeyFetchOutcome =
  | 'success'
  | 'unreachable'
  | 'timeout'
  | 'bad_status'
  | 'invalid'
  | 'address_refused'
  | 'over_budget';

/**
 * What came of wanting to know whether a token is active; the first two without asking, because this or another gateway has,
 * the last two without being allowed to ask.
 */
export type IntrospectionOutcome =
  | 'remembered'
  | 'shared'
  | 'active'
  | 'inactive'
  | 'failed'
  | 'refused'
  | 'paused'
  | 'busy';

/** An authorization server that doesn't answer is left alone for a while, and asked again later. */
export type IntrospectionSwitch = { readonly authorizationServer: string } & (
  | { readonly to: 'paused'; readonly seconds: number; readonly detail: string }
  | { readonly to: 'asked' }
);

export interface KeyFetch {
  readonly authorizationServer: string;
  /** `success`, or what went wrong, in one of a few words. */
  readonly outcome: KeyFetchOutcome;
  /** Held after the fetch. */
  readonly keys: number;
  readonly durationMs: number;
  /** Why it failed, for the operator. */
  readonly detail?: string;
}

/** A token of an upstream login has ended or was refused, and another one was looked for; or a new one couldn't be saved. */
export interface UpstreamTokenSearch {
  readonly route: string;
  readonly outcome:
    | 'refresh'
    | 'another-process'
    | 'login-needed'
    | 'store-unavailable'
    | 'failed'
    | 'stopping'
    | 'unsaved';
  /** For the operator. */
  readonly detail?: string;
}
