/** What came of a request at the upstream; the forwarder writes it, telemetry reads it. */
export interface Exchange {
  /** The upstream's status; undefined before its headers came. */
  status: number | undefined;
  /** When its headers came; milliseconds of the monotonic clock. */
  headersAt: number | undefined;
  /** An SSE answer is open or was. */
  stream: boolean;
  end: ExchangeEnd | undefined;
  /** Why an answer in the stream was replaced by an error; the last one, for the log. */
  withheld?: string;
}

export type ExchangeEnd =
  | 'complete'
  | 'client_left'
  | 'upstream_reset'
  | 'idle_timeout'
  | 'token_expired'
  | 'token_revoked'
  /** A newer configuration wouldn't let the stream begin. */
  | 'config_reloaded'
  | 'stopping';
