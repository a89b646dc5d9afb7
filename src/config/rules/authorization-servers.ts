import { defaultServerName } from '../derive.ts';
import { quote } from '../describe.ts';
import type { Draft, RouteDraft, ServerDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import { isLoopback } from '../fields/web-address.ts';
import type { Finding } from '../finding.ts';
import type { Path } from '../path.ts';
import type { Rule } from './rule.ts';

function issuersOf({ issuer }: ServerDraft): readonly string[] {
  if (issuer === undefined || typeof issuer === 'string') return issuer === undefined ? [] : [issuer];
  return issuer.filter((item) => item !== undefined);
}

/** Undefined where the name, or what it comes from, is faulty. */
export function nameOf(server: ServerDraft): string | undefined {
  if (server.name !== undefined || 'name' in server) return server.name;
  const first = typeof server.issuer === 'string' ? server.issuer : server.issuer?.[0];
  return first === undefined ? undefined : defaultServerName(first);
}

export const distinctServerNames: Rule = (draft) => {
  const seen = new Map<string, number>();
  return entriesOf(draft.authorizationServers).flatMap(([index, server]): readonly Finding[] => {
    const name = nameOf(server);
    const other = name === undefined ? undefined : seen.get(name);
    if (name === undefined || other === undefined) {
      if (name !== undefined) seen.set(name, index);
      return [];
    }
    const found = `the name ${quote(name)}, which authorizationServers[${other}] has as well`;
    const key = server.name === undefined ? 'issuer' : 'name';
    const hint = key === 'name' ? undefined : 'the name comes from the issuer: add name to one of the two';
    return [
      {
        path: ['authorizationServers', index, key],
        found,
        expected: 'a name of its own',
        ...(hint === undefined ? {} : { hint }),
      },
    ];
  });
};

/** Undefined where not all names are known. */
export function knownNames(draft: Draft): readonly string[] | undefined {
  if (draft.authorizationServers === undefined) return 'authorizationServers' in draft ? undefined : [];
  const names = draft.authorizationServers.map((server) =>
    server === undefined ? undefined : nameOf(server),
  );
  return names.includes(undefined) ? undefined : names.filter((name) => name !== undefined);
}

function isProtected(route: RouteDraft): boolean {
  return route.access === 'required' || route.access === 'optional' || !('access' in route);
}

/** A protected route without anyone whose tokens it takes would refuse everyone. */
export const protectedRoutesHaveServers: Rule = (draft) => {
  const { authorizationServers } = draft;
  if (authorizationServers === undefined ? 'authorizationServers' in draft : authorizationServers.length > 0)
    return [];
  const needy = entriesOf(draft.routes).find(([, route]) => isProtected(route));
  if (needy === undefined) return [];
  const expected = `at least one authorization server, because routes[${needy[0]}] asks for tokens`;
  const hint = 'add authorizationServers with an issuer, or say access: open on a route that anyone may use';
  return [
    {
      path: ['authorizationServers'],
      found: authorizationServers === undefined ? 'nothing' : 'an empty list',
      expected,
      hint,
    },
  ];
};

/** Without the issuer check a token says nothing of whose it is; with several servers that would mix their users. */
export const issuerCheckNeedsOneServer: Rule = (draft) => {
  const names = knownNames(draft);
  if (names === undefined) return [];
  return entriesOf(draft.authorizationServers).flatMap(([index, server]): readonly Finding[] => {
    if (server.verify?.iss !== false) return [];
    const name = nameOf(server);
    const shared = entriesOf(draft.routes).find(([, route]) => {
      const accepted = new Set(route.authorizationServers ?? names);
      return isProtected(route) && accepted.size > 1 && name !== undefined && accepted.has(name);
    });
    if (shared === undefined) return [];
    const expected = `true, because routes[${shared[0]}] accepts tokens of other authorization servers too`;
    return [{ path: ['authorizationServers', index, 'verify', 'iss'], found: 'false', expected }];
  });
};

export const keysWithoutDiscovery: Rule = (draft) =>
  entriesOf(draft.authorizationServers).flatMap(([index, server]): readonly Finding[] => {
    if (server.discovery !== 'off' || 'jwksUri' in server) return [];
    const path = ['authorizationServers', index, 'jwksUri'];
    return [{ path, found: 'nothing', expected: 'the address of the keys, because discovery is off' }];
  });

/** Whoever is on the way can replace keys that come over plain http, and be anyone. */
export const plainHttpNeedsConsent: Rule = (draft) =>
  entriesOf(draft.authorizationServers).flatMap(([index, server]): readonly Finding[] => {
    if (
      server.dangerouslyAllowHttp === true ||
      (server.dangerouslyAllowHttp === undefined && 'dangerouslyAllowHttp' in server)
    )
      return [];
    const base: Path = ['authorizationServers', index];
    const isList = typeof server.issuer === 'object';
    const issuers = issuersOf(server).map(
      (issuer, item) => [isList ? [...base, 'issuer', item] : [...base, 'issuer'], issuer] as const,
    );
    const keys = server.jwksUri === undefined ? [] : [[[...base, 'jwksUri'], server.jwksUri] as const];
    const endpoint = server.introspection?.endpoint;
    const asked = endpoint === undefined ? [] : [[[...base, 'introspection', 'endpoint'], endpoint] as const];
    return [...issuers, ...keys, ...asked]
      .filter(([, address]) => isPlainHttp(address))
      .map(([path, address]) => ({
        path,
        found: quote(address),
        expected: 'an https URL',
        hint: 'if the network in between is yours alone, put dangerouslyAllowHttp: true beside it',
      }));
  });

export function isPlainHttp(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !isLoopback(hostname);
}
