/** What the gateway's process holds. */
export interface GatewayState {
  readonly residentBytes: number;
  /** Open ones, listeners included; where there is no /proc, those that keep the process alive. */
  readonly sockets: number;
  /** Timers that keep the process alive. */
  readonly timers: number;
}
