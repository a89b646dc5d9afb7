/** Kids, of 256 characters at most. A map grows with what is in it: most tenants' key sets hold none. */
const maximumSeen = 1000;

/** How many fetches had started when each kid that isn't held was first asked for. A flood of invented ones pushes out only itself. */
export class SeenKids {
  readonly #firstSeen = new Map<string, number>();

  /** The number for a kid: that of its first time, else `started`, which it is from now on. */
  see(kid: string | undefined, started: number): number {
    const first = this.#firstSeen.get(kid ?? '') ?? started;
    this.set(kid, first);
    return first;
  }

  /** Whatever was known of it before. */
  set(kid: string | undefined, started: number): void {
    const seen = this.#firstSeen;
    // Deleted first, so that it stands last.
    seen.delete(kid ?? '');
    seen.set(kid ?? '', started);
    if (seen.size <= maximumSeen) return;
    const [oldest] = seen.keys();
    if (oldest !== undefined) seen.delete(oldest);
  }
}
