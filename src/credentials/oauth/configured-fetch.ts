import type { OauthSettings, Upstream } from '../../config/configuration.ts';
import type { AuthorityFetch, NetworkPorts } from '../../authorization-servers/outbound/authority-fetch.ts';
import { openAuthorityFetch } from '../../authorization-servers/outbound/authority-fetch.ts';
import { AddressRefused } from '../../authorization-servers/outbound/guarded-connector.ts';
import { shownAddress } from './shown-address.ts';

/** Of one call; a login makes a few of them, a recovery has a limit of its own. */
const callTimeoutMs = 10_000;

/**
 * The one way to the authorization servers of an upstream, and to the upstream's own metadata. Whatever a challenge
 * or a document says, it goes to origins that the operator wrote and to hosts of `allowHosts`, and nowhere else:
 * refresh tokens and client secrets are sent this way, and a challenge comes from whoever answers there.
 */
export function openConfiguredFetch(
  upstream: Upstream,
  settings: OauthSettings,
  network: NetworkPorts,
): AuthorityFetch {
  const own = new URL(upstream.url).origin;
  const { authorizationServers, allowHosts } = settings;
  const keys = { timeout: callTimeoutMs };
  const atUpstream = openAuthorityFetch(
    { issuers: [own], allowHosts: [], keys, ...(upstream.tls?.ca && { ca: upstream.tls.ca }) },
    network,
  );
  const [first, ...others] = authorizationServers;
  const elsewhere = openAuthorityFetch(
    { issuers: [first ?? own, ...others], allowHosts, keys, ...(settings.ca && { ca: settings.ca }) },
    network,
  );
  const reached = reachableFrom(upstream.url, settings);
  return {
    async fetch(url, init) {
      if (!reached(url)) throw new AddressRefused(`${shownAddress(url)} isn't asked: ${unlisted}`);
      return new URL(url).origin === own ? atUpstream.fetch(url, init) : elsewhere.fetch(url, init);
    },
    close() {
      atUpstream.close();
      elsewhere.close();
    },
  };
}

const unlisted =
  "it is neither at the upstream's own origin nor at one of credentials.oauth.authorizationServers, and its host isn't in allowHosts";

/** Whether the operator wrote this origin or host. */
export function reachableFrom(upstreamUrl: string, settings: OauthSettings): (url: string) => boolean {
  const origins = new Set([upstreamUrl, ...settings.authorizationServers].map((url) => new URL(url).origin));
  const hosts = new Set(settings.allowHosts.map((host) => new URL(`http://${host}`).hostname));
  return (url) => {
    if (!URL.canParse(url)) return false;
    const { origin, hostname, protocol } = new URL(url);
    return origins.has(origin) || (protocol === 'https:' && hosts.has(hostname));
  };
}
