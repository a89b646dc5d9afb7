import { LRUCache } from 'lru-cache';

import type { Route } from '../config/configuration.ts';
import { isForm, routeOfTenant, tenantPlace } from '../vocabulary/tenant.ts';
import { isRoutePath } from './target-form.ts';

/** Tenants at work at one time. Whoever names more of them makes the gateway put the same route together again. */
const maximumTenants = 1000;

/** The routes of one form's tenants, made when a request names them. */
export class TenantRoutes {
  readonly #form: Route;
  readonly #path: Frame;
  readonly #metadataPath: Frame;
  readonly #routes = new LRUCache<string, Route>({ max: maximumTenants });

  constructor(form: Route) {
    this.#form = form;
    this.#path = frameOf(form.path);
    this.#metadataPath = frameOf(form.resourceMetadataUrl.replace(/^[^/]*\/\/[^/]*/, ''));
  }

  /** The route that a request's target names, by its own spelling or that with one slash more; nothing is decoded. */
  at(target: string): Route | undefined {
    const route = this.#of(tenantIn(target, this.#path));
    return route !== undefined && isRoutePath(target, route.path) ? route : undefined;
  }

  /** The route whose metadata stands at a path (RFC 9728 §3.1), compared as it came. */
  describedAt(path: string): Route | undefined {
    const name = tenantIn(path, this.#metadataPath);
    const { before, after } = this.#metadataPath;
    return path === `${before}${name}${after}` ? this.#of(name) : undefined;
  }

  /** Tenants' routes in memory. */
  get size(): number {
    return this.#routes.size;
  }

  #of(name: string): Route | undefined {
    const known = this.#routes.get(name);
    if (known !== undefined) return known;
    const route = routeOfTenant(this.#form, name);
    if (route !== undefined) this.#routes.set(name, route);
    return route;
  }
}

/** A path around its tenant. */
interface Frame {
  readonly before: string;
  readonly after: string;
}

function frameOf(path: string): Frame {
  const [before = '', after = ''] = path.split(tenantPlace);
  return { before, after };
}

/** What stands where the tenant belongs. It proves nothing of what is around it. */
function tenantIn(target: string, { before }: Frame): string {
  const [name = ''] = target.slice(before.length).split(/[/?]/, 1);
  return name;
}

/** The tenants of all routes that have some. */
export interface AllTenantRoutes {
  /** Undefined for a route that isn't a form. */
  of(route: Route): TenantRoutes | undefined;
  /** The route at a path of whichever form: no two have an address in common. */
  at(path: string): Route | undefined;
  /** In the same manner, by the path of its metadata. */
  describedAt(path: string): Route | undefined;
  /** Tenants' routes in memory; undefined where no route is a form. */
  readonly held: number | undefined;
}

export function tenantRoutesOf(routes: readonly Route[]): AllTenantRoutes {
  const forms = new Map(routes.filter(isForm).map((form) => [form, new TenantRoutes(form)] as const));
  return {
    of: (route) => forms.get(route),
    at(path) {
      for (const tenants of forms.values()) {
        const route = tenants.at(path);
        if (route !== undefined) return route;
      }
      return undefined;
    },
    describedAt(path) {
      for (const tenants of forms.values()) {
        const route = tenants.describedAt(path);
        if (route !== undefined) return route;
      }
      return undefined;
    },
    get held() {
      return forms.size === 0 ? undefined : [...forms.values()].reduce((sum, { size }) => sum + size, 0);
    },
  };
}

/** The path of a route as the router takes it. What a segment holds, the routes stage reads from the target itself. */
export function routerPath({ path }: Route): string {
  return path === '/' ? '' : path.replace(tenantPlace, ':tenant');
}
