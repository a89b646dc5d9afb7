import { quote } from '../describe.ts';
import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import { knownNames } from './authorization-servers.ts';
import { faultsOfAskedName } from './named-server.ts';
import type { Rule } from './rule.ts';
import { loginsOf } from './upstream-logins.ts';

/** Each client belongs to one server, which says itself where people log in. */
export const loginsHaveServers: Rule = (draft) => {
  const seen = new Set<string>();
  return entriesOf(draft.login).flatMap(([index, { authorizationServer: name }]): readonly Finding[] => {
    const path = ['login', index, 'authorizationServer'];
    if (name !== undefined && seen.has(name))
      return [{ path, found: `a second client for ${quote(name)}`, expected: 'one for each server' }];
    if (name !== undefined) seen.add(name);
    return faultsOfAskedName(draft, { path, name, why: 'its metadata says where people log in' });
  });
};

/** Nothing else asks a browser who it is. */
export const loginsAreForUsers: Rule = (draft) => {
  if (draft.login === undefined || loginsOf(draft).some(({ oauth }) => oauth.scope === 'user')) return [];
  return [
    {
      path: ['login'],
      at: 'key',
      found: 'login, though no route has credentials.oauth with scope: user',
      expected: 'a route whose users log in at its upstream, or the file without it',
    },
  ];
};

/** The secret of the client would be sent to a server of each tenant that anyone names. */
export const loginsAreOfOneIssuer: Rule = (draft) =>
  loginsOf(draft).flatMap(({ index, oauth }): readonly Finding[] => {
    const route = draft.routes?.[index];
    if (oauth.scope !== 'user' || route?.tenant?.issuer === undefined) return [];
    const servers = route.authorizationServers ?? knownNames(draft) ?? [];
    return entriesOf(draft.login).flatMap(([item, client]): readonly Finding[] =>
      client.authorizationServer === undefined || !servers.includes(client.authorizationServer)
        ? []
        : [
            {
              path: ['login', item, 'authorizationServer'],
              found: `${quote(client.authorizationServer)}, where tenants of routes[${index}] have issuers of their own`,
              expected: 'a server with one issuer for all',
              hint: 'an operator can log these users in: portcullis login NAME --tenant TENANT',
            },
          ],
    );
  });
