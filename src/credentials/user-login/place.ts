import type { Configuration, OauthSettings, Route } from '../../config/configuration.ts';
import { isForm, routeOfTenant } from '../../vocabulary/tenant.ts';
import type { Prover } from './login-links.ts';
import { proverOf } from './login-links.ts';
import type { LoginLink } from './login-seal.ts';

/** What the configuration of now has for a link. */
export interface Place {
  readonly link: LoginLink;
  readonly route: Route;
  readonly settings: OauthSettings;
  readonly prover: Prover;
}

/** Undefined where the configuration doesn't have it, or not any more. */
export function placeOf(
  configuration: Pick<Configuration, 'login' | 'routes'>,
  link: LoginLink,
): Place | undefined {
  const named = configuration.routes.find(({ name }) => name === link.route);
  const route = named !== undefined && isForm(named) ? routeOfTenant(named, link.tenant ?? '') : named;
  const settings = route?.upstream.credentials;
  if (route === undefined || settings?.kind !== 'oauth' || settings.scope !== 'user') return undefined;
  if (route.upstream.url !== link.upstream || route.tenant?.name !== link.tenant) return undefined;
  const prover = proverOf(configuration, route, link.person.issuer);
  return prover === undefined ? undefined : { link, route, settings, prover };
}
