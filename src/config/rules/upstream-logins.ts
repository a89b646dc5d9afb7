import type { Draft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import type { Path } from '../path.ts';
import type { Rule } from './rule.ts';

type Upstream = Exclude<NonNullable<NonNullable<NonNullable<Draft['routes']>[number]>['upstream']>, string>;
type Oauth = NonNullable<
  Extract<NonNullable<Upstream['credentials']>, { readonly oauth?: unknown }>['oauth']
>;

interface Login {
  readonly index: number;
  readonly access: 'required' | 'optional' | 'open' | undefined;
  readonly oauth: Oauth;
  readonly path: Path;
}

export function loginsOf(draft: Draft): readonly Login[] {
  return entriesOf(draft.routes).flatMap(([index, route]): readonly Login[] => {
    const credentials = typeof route.upstream === 'object' ? route.upstream.credentials : undefined;
    if (typeof credentials !== 'object' || !('oauth' in credentials) || credentials.oauth === undefined)
      return [];
    const access = 'access' in route ? (route.access as Login['access']) : 'required';
    const path = ['routes', index, 'upstream', 'credentials', 'oauth'];
    return [{ index, access, oauth: credentials.oauth, path }];
  });
}

/** A refresh token that lives in memory alone would be lost with the process, and the login with it. */
export const loginsNeedATokenStore: Rule = (draft) => {
  const [first] = loginsOf(draft);
  if (first === undefined || 'tokenStore' in draft) return [];
  return [
    {
      path: ['tokenStore'],
      found: 'nothing',
      expected: `a place for logins, because routes[${first.index}] has credentials.oauth`,
      hint: 'add tokenStore with key, and directory unless state is redis',
    },
  ];
};

export const tokenStoreNeedsAPlace: Rule = ({ tokenStore, state, ...draft }) => {
  if (tokenStore === undefined || 'directory' in tokenStore) return [];
  const inRedis = state === undefined ? 'state' in draft : state !== 'memory';
  if (inRedis) return [];
  return [
    {
      path: ['tokenStore', 'directory'],
      found: 'nothing',
      expected: 'a folder, because state is memory',
      hint: 'logins outlive the process: in files, or in the Redis of state',
    },
  ];
};

/** Where nobody says who they are, nobody has a login of their own. */
export const userLoginsNeedUsers: Rule = (draft) =>
  loginsOf(draft).flatMap(({ access, oauth, path }): readonly Finding[] =>
    oauth.scope !== 'user' || access === 'required' || access === undefined
      ? []
      : [
          {
            path: [...path, 'scope'],
            found: `user on a route with access: ${access}`,
            expected: 'shared, or access: required',
          },
        ],
  );

export const oneClientOfALogin: Rule = (draft) =>
  loginsOf(draft).flatMap(({ oauth, path }): readonly Finding[] => [
    ...(oauth.clientSecret !== undefined && !('clientId' in oauth)
      ? [{ path: [...path, 'clientId'], found: 'nothing', expected: 'the client that clientSecret is of' }]
      : []),
    ...(oauth.clientId !== undefined && oauth.clientMetadataUrl !== undefined
      ? [
          {
            path: [...path, 'clientMetadataUrl'],
            at: 'key' as const,
            found: 'clientMetadataUrl beside clientId, which is taken first',
            expected: 'one of the two',
          },
        ]
      : []),
  ]);
