import { quote } from '../describe.ts';
import type { ServerDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import type { Path } from '../path.ts';
import type { Rule } from './rule.ts';

/**
 * Okta's organisation authorization server issues access tokens that Okta alone may check: it changes their form
 * without notice, and gives them itself as audience. Only asking it (RFC 7662) says whether one is good.
 */
export const oktaOrganisationIssuer: Rule = (draft) =>
  entriesOf(draft.authorizationServers).flatMap(([index, server]): readonly Finding[] => {
    if (server.introspection?.for === 'all') return [];
    return issuersWithPlaces(server, ['authorizationServers', index, 'issuer']).flatMap(([path, issuer]) =>
      isOktaOrganisation(issuer)
        ? [
            {
              path,
              found: `${quote(issuer)}, Okta's organisation authorization server, whose access tokens only Okta can check`,
              expected: 'the issuer of a custom authorization server',
              hint: `such as ${issuer.replace(/\/$/, '')}/oauth2/default`,
            },
          ]
        : [],
    );
  });

function issuersWithPlaces({ issuer }: ServerDraft, path: Path): readonly (readonly [Path, string])[] {
  if (issuer === undefined) return [];
  if (typeof issuer === 'string') return [[path, issuer]];
  return issuer.flatMap((item, place) => (item === undefined ? [] : [[[...path, place], item] as const]));
}

/** A domain of the customer's own doesn't show whose it is. */
function isOktaOrganisation(issuer: string): boolean {
  const { hostname, pathname } = new URL(issuer);
  return pathname === '/' && /\.(?:okta|oktapreview|okta-emea)\.com$/.test(hostname);
}
