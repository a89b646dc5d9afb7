import type { Draft, RouteDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import { knownNames } from './authorization-servers.ts';
import { namesWithoutMetadata } from './named-server.ts';
import type { Rule } from './rule.ts';

/** A server that isn't asked for its metadata says nothing of its scopes. */
export const liveScopesNeedMetadata: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]) => {
    const obstacle = obstacleToLiveScopes(draft, route);
    if (obstacle === undefined) return [];
    return (['challengeScopes', 'scopesSupported'] as const)
      .filter((key) => route[key] === 'from-authorization-server')
      .map((key): Finding => ({
        path: ['routes', index, key],
        found: `from-authorization-server, where ${obstacle}`,
        expected: 'a list of scopes such as [github:read]',
      }));
  });

function obstacleToLiveScopes(draft: Draft, route: RouteDraft): string | undefined {
  const silent = namesWithoutMetadata(draft);
  const used = route.authorizationServers ?? knownNames(draft) ?? [];
  const mute = used.find((name) => name !== undefined && silent.includes(name));
  return mute === undefined ? undefined : `${mute} has discovery: off`;
}
