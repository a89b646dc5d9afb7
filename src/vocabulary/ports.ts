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
  /** Where the sink can fail: tells of it at once, then from time to time for as long as it goes on. */
  onTrouble?(hear: (trouble: LineTrouble) => void): void;
}

export interface LineTrouble {
  /** Since it was told of last. */
  readonly lostLines: number;
  /** A word such as ENOSPC, where a write failed; its lines wait for the next one. */
  readonly fault: string | undefined;
}
