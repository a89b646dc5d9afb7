import type { Configuration, OauthSettings, Route } from '../config/configuration.ts';
import type { Person } from '../credentials/oauth/stored-login.ts';
import { isForm, routeOfTenant } from '../vocabulary/tenant.ts';

/** Which login a command is about. */
export interface LoginOf {
  /** Name of the route, or the upstream's URL. */
  readonly name: string;
  readonly tenant: string | undefined;
  /** Both of them with `scope: user`, as the user's tokens have them. */
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
}

export interface LoginRoute {
  readonly route: Route;
  readonly settings: OauthSettings;
  readonly person: Person | undefined;
}

/** The route whose login it is, or a sentence about what is wrong with the question. */
export function findLoginRoute({ routes }: Configuration, wanted: LoginOf): LoginRoute | string {
  const known = routes.flatMap((route) => {
    const { credentials } = route.upstream;
    return credentials?.kind === 'oauth' ? [{ route, settings: credentials }] : [];
  });
  if (known.length === 0) return 'no route has credentials.oauth, so there is nothing to log in at';
  const named = known.filter(({ route }) => route.name === wanted.name);
  const fitting = named.length > 0 ? named : known.filter(({ route }) => route.upstream.url === wanted.name);
  const [found, second] = fitting;
  const names = (found === undefined ? known : fitting).map(({ route }) => route.name).join(', ');
  if (found === undefined)
    return `no route with credentials.oauth is called ${JSON.stringify(wanted.name)}; those that are: ${names}`;
  if (second !== undefined) return `several routes have the upstream ${wanted.name}: say which of ${names}`;
  const route = routeFor(found.route, wanted.tenant);
  if (typeof route === 'string') return route;
  const person = personOf(found.settings, wanted);
  return typeof person === 'string' ? person : { ...found, route, person };
}

function routeFor(route: Route, tenant: string | undefined): Route | string {
  if (!isForm(route))
    return tenant === undefined
      ? route
      : `route ${route.name} isn't one for several tenants: leave --tenant out`;
  if (tenant === undefined)
    return `route ${route.name} has a login for each tenant: say which with --tenant NAME`;
  return routeOfTenant(route, tenant) ?? `route ${route.name} has no tenant ${JSON.stringify(tenant)}`;
}

function personOf({ scope }: OauthSettings, { name, issuer, subject }: LoginOf): Person | undefined | string {
  if (scope === 'shared')
    return issuer === undefined && subject === undefined
      ? undefined
      : `all users of ${name} share one login: leave --issuer and --subject out`;
  return issuer === undefined || subject === undefined
    ? `each user of ${name} has a login of their own: say whose with --issuer and --subject, as their tokens have them in iss and sub`
    : { issuer, subject };
}

/** A login of somebody whose tokens the route doesn't take would never be used; a sentence about it, if it is one. */
export function whyNobodys({ route, person }: LoginRoute): string | undefined {
  if (person === undefined || route.authorizationServers.some(({ verify }) => !verify.iss)) return undefined;
  const issuers = route.authorizationServers.flatMap((server) => server.issuers);
  if (issuers.includes(person.issuer)) return undefined;
  const those = issuers.length === 0 ? 'it takes none' : `those that it takes: ${issuers.join(', ')}`;
  return `route ${route.name} takes no tokens of ${JSON.stringify(person.issuer)}; ${those}`;
}
