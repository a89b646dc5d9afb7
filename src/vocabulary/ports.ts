/** The outside world as arguments; tests replace these, never modules. */
export interface Ports {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Replaces the network to authorization servers, and with it the look at each address that is connected to. */
  readonly fetch?: Fetch;
  /** One call per line of the log, the line feed included. */
  readonly logSink: LineSink;
  readonly auditSink: LineSink;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface LineSink {
  /** Lines lost so far, where the sink can lose any. */
  readonly dropped?: number;
  write(line: string): void;
}
