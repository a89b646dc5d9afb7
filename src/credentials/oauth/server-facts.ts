import type * as oauth from 'oauth4webapi';

import type { Metadata } from '../../authorization-servers/metadata/fetch-metadata.ts';
import type { LoginFault } from './discover.ts';
import { shownAddress } from './shown-address.ts';

/** What oauth4webapi wants to know of an authorization server; endpoints are at configured origins. */
export type ServerFacts = { readonly ok: true; readonly server: oauth.AuthorizationServer } | LoginFault;

const endpoints = [
  'authorization_endpoint',
  'token_endpoint',
  'registration_endpoint',
  'revocation_endpoint',
] as const;

/** Metadata of a checked issuer, once each endpoint in it is one that may be asked, or opened by a person. */
export function factsOf({ url, members }: Metadata, isReachable: (url: string) => boolean): ServerFacts {
  const foreign = endpoints.find((name) => {
    const address = members[name];
    return address !== undefined && !(typeof address === 'string' && isReachable(address));
  });
  if (foreign !== undefined) {
    return {
      ok: false,
      detail: `${url} names ${foreign} ${shownAddress(members[foreign])}, which is at no origin of the configuration: where it belongs there, list its host under credentials.oauth.allowHosts`,
    };
  }
  return { ok: true, server: members as unknown as oauth.AuthorizationServer };
}
