import type { OauthSettings, Route } from '../../config/configuration.ts';
import { ServerMetadata } from '../../authorization-servers/metadata/metadata.ts';
import type { FetchedMetadata } from '../../authorization-servers/metadata/fetch-metadata.ts';
import type { NetworkPorts } from '../../authorization-servers/outbound/authority-fetch.ts';
import type { RecordStore } from '../../state/records/record-store.ts';
import type {
  CredentialProvider,
  CredentialsAnswer,
  CredentialsAsked,
} from '../../vocabulary/credentials.ts';
import { needsLogin } from '../../vocabulary/needs-login.ts';
import type { Observer } from '../../vocabulary/observer.ts';
import type { Principal } from '../../vocabulary/principal.ts';
import { openConfiguredFetch, reachableFrom } from './configured-fetch.ts';
import type { KeptLogins } from './kept-logins.ts';
import { Recoveries } from './recoveries.ts';
import type { Recovered } from './recoveries.ts';
import { refreshLogin } from './refresh.ts';
import type { StoredLogin } from './stored-login.ts';
import { faultOfLogin, loginName } from './stored-login.ts';

export interface OauthProviderParts {
  readonly store: RecordStore;
  /** Of the same store. */
  readonly logins: KeptLogins;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly network: NetworkPorts;
  readonly observer: Pick<Observer, 'upstreamTokenSought'>;
  /** Where this person logs in themselves; undefined where they can't. */
  readonly loginUrl?: ((route: Route, principal: Principal) => string | undefined) | undefined;
}

/** A token that ends this soon would end on its way. */
const soonMs = 10_000;

/** A request waits for it. */
const recoveryWithinMs = 10_000;

/** A stop shouldn't take longer for a server that doesn't answer. */
const stopWithinMs = 1000;

/** Whoever failed to get one shall come again after this. */
const retryAfterSeconds = 5;

/**
 * Shows the upstream the token of a login that a person has made: one for the route, or with `scope: user` the
 * principal's own and nobody else's. A token that has ended, or that the upstream answers 401 to, is renewed. It
 * makes no login itself.
 */
export function oauthProvider(
  { name: routeName, upstream }: Route,
  settings: OauthSettings,
  { store, logins, clock, network, observer, loginUrl }: OauthProviderParts,
): CredentialProvider {
  const reach = openConfiguredFetch(upstream, settings, network);
  const { fetch } = reach;
  const metadata = metadataByIssuer({ fetch, clock });
  const recoveries = new Recoveries({
    logins,
    store,
    clock,
    refresh: (login, signal) =>
      refreshLogin(login, signal, {
        settings,
        metadata: () => metadata(login.issuer),
        isReachable: reachableFrom(upstream.url, settings),
        fetch,
        clock,
      }),
    longestMs: recoveryWithinMs,
    graceMs: stopWithinMs,
    onUnsaved: (detail) => observer.upstreamTokenSought({ route: routeName, outcome: 'unsaved', detail }),
  });

  async function renew(asked: CredentialsAsked, accessToken: string): Promise<Recovered> {
    const recovered = await recoveries.recover({ name: nameFor(asked, settings), accessToken });
    if (recovered.is === 'login') observer.upstreamTokenSought({ route: routeName, outcome: recovered.by });
    else if (recovered.isRemembered !== true)
      observer.upstreamTokenSought({ route: routeName, outcome: recovered.is, detail: recovered.detail });
    return recovered;
  }

  function loginNeeded({ route, principal }: CredentialsAsked, detail: string): CredentialsAnswer {
    const refusal = needsLogin(route, settings.scope, detail);
    const url = settings.scope === 'user' && principal !== null ? loginUrl?.(route, principal) : undefined;
    return { ok: false, refusal: url === undefined ? refusal : { ...refusal, url } };
  }

  /** What another process has put into the store may have been made under another configuration. */
  function shownIfUsable(asked: CredentialsAsked, login: StoredLogin): CredentialsAnswer {
    const fault = faultOfLogin(login, upstream.url, settings);
    return fault === undefined ? shown(login) : loginNeeded(asked, fault);
  }

  return {
    async credentialsFor(asked) {
      if (settings.scope === 'user' && asked.principal === null) return nobody;
      const look = await logins.glance(nameFor(asked, settings));
      if (look.is === 'unavailable') return unavailable('token_store_unavailable', look.detail);
      if (look.is === 'absent') return loginNeeded(asked, 'nobody has logged in');
      const { login } = look;
      const fault = faultOfLogin(login, upstream.url, settings);
      if (fault !== undefined) return loginNeeded(asked, fault);
      if (!endsSoon(login, clock())) return shown(login);
      const recovered = await renew(asked, login.accessToken);
      // Our clock may be the one that is wrong: the upstream decides.
      return recovered.is === 'login' ? shownIfUsable(asked, recovered.login) : shown(login);
    },
    async recover(asked, refused) {
      const recovered = await renew(asked, tokenIn(refused));
      switch (recovered.is) {
        case 'login':
          return shownIfUsable(asked, recovered.login);
        case 'login-needed':
          return loginNeeded(asked, recovered.detail);
        case 'store-unavailable':
          return unavailable('token_store_unavailable', recovered.detail);
        case 'failed':
          return unavailable('token_refresh_failed', recovered.detail);
        case 'stopping':
          return { ok: false, refusal: { kind: 'not-ready', reason: 'stopping' } };
      }
    },
    async close() {
      await recoveries.close();
      reach.close();
    },
  };
}

function nameFor(
  { route, principal }: CredentialsAsked,
  { scope }: OauthSettings,
): ReturnType<typeof loginName> {
  return loginName(route, scope === 'user' && principal !== null ? principal : undefined);
}

function endsSoon({ expiresAtMs, refreshToken }: StoredLogin, nowMs: number): boolean {
  return expiresAtMs !== undefined && refreshToken !== undefined && expiresAtMs - nowMs < soonMs;
}

function shown({ accessToken }: StoredLogin): CredentialsAnswer {
  return { ok: true, headers: ['authorization', `Bearer ${accessToken}`] };
}

function tokenIn([, value = '']: readonly string[]): string {
  return value.slice('Bearer '.length);
}

function unavailable(
  reason: 'token_store_unavailable' | 'token_refresh_failed',
  detail: string,
): CredentialsAnswer {
  const kind = 'upstream-credentials-unavailable';
  return { ok: false, refusal: { kind, reason, retryAfterSeconds, detail } };
}

const nobody: CredentialsAnswer = {
  ok: false,
  refusal: {
    kind: 'upstream-credentials-missing',
    reason: 'upstream_credentials_missing',
    detail: 'each user logs in for themselves, and this request has none',
  },
};

/** What an authorization server says of itself is the same for all users: asked once, without credentials. */
function metadataByIssuer(
  ports: ConstructorParameters<typeof ServerMetadata>[1],
): (issuer: string) => Promise<FetchedMetadata> {
  const known = new Map<string, ServerMetadata>();
  return (issuer) => {
    const server =
      known.get(issuer) ?? new ServerMetadata({ issuers: [issuer], keys: { timeout: 5000 } }, ports);
    known.set(issuer, server);
    return server.get();
  };
}
