/** What stages tell telemetry besides the outcome of a request; never a credential. */
export interface Observer {
  signatureChecked(outcome: 'remembered' | 'verified' | 'failed'): void;
  keysFetched(report: KeyFetch): void;
  streamOpened(route: string): void;
  streamClosed(route: string): void;
}

export interface KeyFetch {
  readonly authorizationServer: string;
  readonly outcome: 'success' | 'failure';
  /** Held after the fetch. */
  readonly keys: number;
  readonly durationMs: number;
  /** Why it failed, for the operator. */
  readonly detail?: string;
}
