import { Places } from '../limits/places.ts';
import { OpenExchanges } from '../upstream/open-exchanges.ts';

/** What is under way on one route. */
export interface RouteCount {
  readonly exchanges: OpenExchanges;
  readonly places: Places;
}

/**
 * What is under way on each route, by its name: a new configuration goes on counting where the one before left off, so
 * that no cap begins anew with a reload.
 */
export class RouteCounts {
  readonly #byName = new Map<string, RouteCount>();

  of(routeName: string): RouteCount {
    const known = this.#byName.get(routeName);
    if (known !== undefined) return known;
    const count = { exchanges: new OpenExchanges(), places: new Places() };
    this.#byName.set(routeName, count);
    return count;
  }

  get exchanges(): readonly OpenExchanges[] {
    return [...this.#byName.values()].map(({ exchanges }) => exchanges);
  }

  /** Forgets the other routes; only once nothing is under way on them. */
  keepOnly(routeNames: ReadonlySet<string>): void {
    for (const name of this.#byName.keys()) if (!routeNames.has(name)) this.#byName.delete(name);
  }
}
