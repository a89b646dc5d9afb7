import type { Authorities } from '../authorization-servers/authority.ts';
import type { NetworkPorts } from '../authorization-servers/outbound/authority-fetch.ts';
import type { Configuration, Route, UpstreamCredentials } from '../config/configuration.ts';
import type { RecordStore } from '../state/records/record-store.ts';
import type { CredentialProvider } from '../vocabulary/credentials.ts';
import type { Observer } from '../vocabulary/observer.ts';
import { ExchangeClient } from './exchange/exchange-client.ts';
import { exchangedCredentials } from './exchange/exchanged-credentials.ts';
import { inboundCredentials } from './inbound-credentials.ts';
import { injectedCredentials } from './injected-credentials.ts';
import type { KeptLogins } from './oauth/kept-logins.ts';
import { oauthProvider } from './oauth/oauth-provider.ts';
import type { OauthProviderParts } from './oauth/oauth-provider.ts';
import { passedToken } from './passed-token.ts';
import { staticCredentials } from './static-credentials.ts';

export type InjectedProviders = Readonly<Record<string, CredentialProvider>>;

export interface ProviderParts {
  readonly authorities: Pick<Authorities, 'of'>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly injected: InjectedProviders;
  /** Of logins at upstreams; present where a route has any. */
  readonly records: RecordStore | undefined;
  /** What is known of these logins, from before a reload too; present with `records`. */
  readonly logins: KeptLogins | undefined;
  readonly network: NetworkPorts;
  readonly observer: Pick<Observer, 'upstreamTokenSought'>;
  /** Where users log in at upstreams themselves; absent: nowhere. */
  readonly loginUrl?: OauthProviderParts['loginUrl'];
}

/** The providers of all routes, made before the first request. */
export interface CredentialProviders {
  /** Undefined where the upstream wants to be shown none. */
  readonly of: (route: Route) => CredentialProvider | undefined;
  /** Each is closed once, whatever becomes of the others; rejects with all that failed. */
  close(): Promise<void>;
}

/** Throws where the configuration names a provider that isn't injected. */
export function openProviders(
  { routes }: Pick<Configuration, 'routes'>,
  parts: ProviderParts,
): CredentialProviders {
  const providers = new Map<Route, CredentialProvider>();
  for (const route of routes) {
    const provider = providerFor(route, parts);
    if (provider !== undefined) providers.set(route, provider);
  }
  return {
    of: (route) => providers.get(route),
    close: () => closeEach([...providers.values()]),
  };
}

function providerFor(route: Route, parts: ProviderParts): CredentialProvider | undefined {
  const { token, credentials } = route.upstream;
  if (credentials !== undefined) return configuredProvider(credentials, route, parts);
  return token === 'passthrough' ? passedToken : undefined;
}

function configuredProvider(
  credentials: UpstreamCredentials,
  route: Route,
  { authorities, clock, injected, records, logins, network, observer, loginUrl }: ProviderParts,
): CredentialProvider {
  switch (credentials.kind) {
    case 'static':
      return staticCredentials(credentials.header, credentials.value);
    case 'headers':
      return inboundCredentials(credentials.headers);
    case 'tokenExchange': {
      const client = new ExchangeClient(credentials, authorities.of(credentials.authorizationServer));
      return exchangedCredentials({
        settings: credentials,
        clock,
        exchange: (token) => client.exchange(token),
      });
    }
    case 'oauth': {
      if (records === undefined || logins === undefined)
        throw new Error('logins without a token store passed the checks');
      const parts = { store: records, logins, clock, network, observer, loginUrl };
      return oauthProvider(route, credentials, parts);
    }
    case 'provider': {
      const { name } = credentials;
      const provider = Object.hasOwn(injected, name) ? injected[name] : undefined;
      if (provider === undefined)
        throw new Error(`route ${route.name} wants the credential provider ${name}, which isn't injected`);
      return injectedCredentials(name, provider, route);
    }
  }
}

/** Those of the gateway; an injected one is its program's, which may use it elsewhere. */
async function closeEach(providers: readonly CredentialProvider[]): Promise<void> {
  const ends = await Promise.allSettled(providers.map(async (provider) => provider.close?.()));
  const faults = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
  if (faults.length > 0) throw new AggregateError(faults, 'not all credential providers could be closed');
}
