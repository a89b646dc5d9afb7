/** The trace that a request is part of (W3C Trace Context), as far as other stages need to know. */
export interface Trace {
  /** `traceparent`, and `tracestate` where there is one, for the upstream: name, value, name, value. */
  readonly headers: readonly string[];
  /** Runs what sends to the upstream: meanwhile no instrumentation of this process adds headers of its own. */
  readonly run: (send: () => void) => void;
}
