import type { FastifyInstance, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';

import type { Route } from '../config/configuration.ts';
import { allowOrigin, answerPreflight, isPreflight } from '../vocabulary/cors.ts';
import { matched } from '../vocabulary/passage.ts';
import { checkHost, checkOrigin } from './host-and-origin.ts';
import { checkForm } from './request-form.ts';
import { checkTarget, isRoutePath } from './target-form.ts';
import type { TenantRoutes } from './tenant-routes.ts';

export interface RequestFormOptions {
  readonly hosts: readonly string[];
}

/** For every request, routed or not: its form, its target and its `Host`. */
export const requestForm = fp<RequestFormOptions>(
  (app, { hosts }, ready) => {
    const allowedHosts = new Set(hosts);
    app.decorateRequest('passage', null);
    app.addHook('onRequest', (request, reply, next) => {
      const { raw } = request;
      const refusal = checkForm(raw) ?? checkTarget(raw.url ?? '') ?? checkHost(raw.rawHeaders, allowedHosts);
      if (refusal !== undefined) return reply.refuse(refusal);
      next();
    });
    ready();
  },
  { name: 'request-form', dependencies: ['challenge'] },
);

export interface RoutesOptions {
  readonly route: Route;
  /** Where the route is the form of one for each tenant: theirs. */
  readonly tenantRoutes: TenantRoutes | undefined;
  /** Answers why requests can't be served yet or any more; undefined while they can. */
  readonly notReady: () => 'starting' | 'stopping' | undefined;
}

/** What a route serves; the rest of HTTP is answered 405. */
export const servedMethods = ['GET', 'POST', 'DELETE'] as const;

/**
 * Names the one route that a request of this scope belongs to: the passage starts here. Browser origins are checked,
 * preflights answered.
 */
export const routesStage = fp<RoutesOptions>(
  (scope, { route, tenantRoutes, notReady }, ready) => {
    const routeAt = (target: string): Route | undefined =>
      tenantRoutes === undefined
        ? isRoutePath(target, route.path)
          ? route
          : undefined
        : tenantRoutes.at(target);
    const origins = new Set(route.origins);
    scope.addHook('onRequest', (request, reply, next) => {
      const own = routeAt(request.raw.url ?? '');
      if (own === undefined) return reply.refuse({ kind: 'route-unknown', reason: 'no_such_route' });
      request.passage = matched(own);
      const { origin } = request.headers;
      if (origin !== undefined) {
        const refusal = checkOrigin(request.raw.rawHeaders, origins);
        if (refusal !== undefined) return reply.refuse(refusal);
        allowOrigin(reply, origin);
        if (isPreflight(request)) return answerPreflight(request, reply, servedMethods.join(', '));
      }
      const reason = notReady();
      if (reason !== undefined) return reply.refuse({ kind: 'not-ready', reason });
      next();
    });
    ready();
  },
  { name: 'routes', dependencies: ['request-form', 'challenge'] },
);

/**
 * Makes the boot fail for a route that doesn't say who may use it, and for a protected one that isn't behind the
 * token stage.
 */
export function requireDeclaredAccess(app: FastifyInstance): void {
  app.addHook('onRoute', function onRoute(this: FastifyInstance, route: RouteOptions) {
    const name = `${String(route.method)} ${route.url}`;
    const { access, routeName } = route.config ?? {};
    if (access === undefined) throw new Error(`${name} doesn't declare its access`);
    if (access !== 'public' && this.checksTokens !== true) {
      throw new Error(`route ${routeName ?? name} would be reachable without the token stage`);
    }
  });
}
