/** Whether the configuration that a request was let in by is still the newest one. */
export interface Standing {
  /** When a newer one took its place, in milliseconds of the monotonic clock; undefined: it is the newest. */
  readonly supersededAt: number | undefined;
}

/** What a superseded configuration let in may still begin for so long: then what has been withdrawn opens nothing more. */
const graceMs = 1000;

/** Whether too much time has passed for anything to begin by the word of this configuration, such as a call whose body was slow. */
export function isOver({ supersededAt }: Standing): boolean {
  return supersededAt !== undefined && performance.now() - supersededAt > graceMs;
}
