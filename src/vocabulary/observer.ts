/** What stages tell telemetry besides the outcome of a request; never a credential. */
export interface Observer {
  readonly signatureChecked: (outcome: 'remembered' | 'verified' | 'failed') => void;
  readonly keysFetched: (report: KeyFetch) => void;
  readonly streamOpened: (route: string) => void;
  readonly streamClosed: (route: string) => void;
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
