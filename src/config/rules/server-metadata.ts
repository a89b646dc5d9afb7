import { closest } from '../closest.ts';
import { quote } from '../describe.ts';
import type { Draft, RouteDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import { knownNames, nameOf } from './authorization-servers.ts';
import type { Rule } from './rule.ts';

/** The mirror names one of the servers, whose metadata may be asked for. */
export const knownMirror: Rule = (draft) => {
  const mirror = draft.discovery?.mirror;
  const names = knownNames(draft);
  if (mirror === undefined || names === undefined) return [];
  const path = ['discovery', 'mirror'];
  if (namesWithoutMetadata(draft).includes(mirror)) {
    return [
      {
        path,
        found: `${quote(mirror)}, which has discovery: off`,
        expected: 'a server with discovery: auto',
      },
    ];
  }
  if (names.includes(mirror)) return [];
  const near = closest(mirror, names);
  const expected =
    names.length === 0
      ? 'the name of one of authorizationServers, of which there are none'
      : `one of ${names.join(', ')}`;
  return [
    {
      path,
      found: quote(mirror),
      expected,
      ...(near === undefined ? {} : { hint: `did you mean ${near}?` }),
    },
  ];
};

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

export function namesWithoutMetadata(draft: Draft): readonly string[] {
  return entriesOf(draft.authorizationServers).flatMap(([, server]) => {
    const name = server.discovery === 'off' ? nameOf(server) : undefined;
    return name === undefined ? [] : [name];
  });
}
