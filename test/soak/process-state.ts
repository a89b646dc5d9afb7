/** What the gateway's process holds after a garbage collection, with nothing under way. */
export interface ProcessState {
  /** JavaScript objects and the buffers behind them. */
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** Open ones, listeners included. */
  readonly sockets: number;
  /** Open file descriptors of all kinds, sockets included. */
  readonly files: number;
  /** Timers, connections, watchers: what keeps Node's loop alive. */
  readonly handles: number;
}
