import type { AuthorizationServer } from '../../config/configuration.ts';

/** What has to be known of a server to ask it anything. */
export interface AskedServer extends Pick<
  AuthorizationServer,
  'issuers' | 'jwksUri' | 'introspection' | 'allowHosts' | 'ca'
> {
  readonly keys: Pick<AuthorizationServer['keys'], 'timeout'>;
}

/** Hosts and origins of one authorization server that stand in the operator's file. */
export interface WrittenAddresses {
  /** As a connection names them: IPv6 literals without brackets. */
  readonly hosts: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
}

/** What the operator wrote about this server may be private or plain http; what its documents name may not. */
export function writtenAddresses(server: AskedServer): WrittenAddresses {
  const { issuers, jwksUri, introspection } = server;
  const written = [...issuers, jwksUri, introspection?.endpoint].filter((url) => url !== undefined);
  const urls = written.map((url) => new URL(url));
  // The parser writes every spelling of an address in one way, as it does for the URL that is asked.
  const allowed = server.allowHosts.map((host) => new URL(`http://${host}`));
  return {
    hosts: new Set([...urls, ...allowed].map(({ hostname }) => hostname.replace(/^\[(.*)\]$/, '$1'))),
    origins: new Set(urls.map(({ origin }) => origin)),
  };
}

/** Why a URL may not be asked, wherever it came from; undefined where only its address is left to be looked at. */
export function faultOfUrl(url: string, { origins }: WrittenAddresses): string | undefined {
  if (!URL.canParse(url)) return 'it is no URL';
  const { protocol, origin, username, password } = new URL(url);
  if (username !== '' || password !== '') return 'it carries credentials';
  // A document must not talk us down to plain http: whoever is on the way could replace the keys.
  if (protocol === 'https:' || (protocol === 'http:' && origins.has(origin))) return undefined;
  return "it is neither https nor at the issuer's own origin";
}
