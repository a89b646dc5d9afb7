import type { RouteDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import type { Rule } from './rule.ts';

const aboutTokens = [
  'authorizationServers',
  'audiences',
  'scopes',
  'challengeScopes',
  'scopesSupported',
  'default',
  'tenant',
  'dpop',
] as const;

/** An open route asks for no token; whoever lists scopes on it believes that it does. */
export const openRoutesAskForNothing: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]) =>
    (route.access === 'open' ? aboutTokens : [])
      .filter((key) => saysSomething(route[key]))
      .map((key): Finding => ({
        path: ['routes', index, key],
        at: 'key',
        found: `${key} on an open route`,
        expected: 'the route without it, or with access: required',
        hint: 'anyone may use an open route; no token is asked for or read',
      })),
  );

function saysSomething(value: RouteDraft[(typeof aboutTokens)[number]]): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false && value !== 'off';
}

/** Certificates for a connection that has none. */
export const tlsNeedsHttps: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, { upstream }]): readonly Finding[] => {
    if (typeof upstream !== 'object' || upstream.tls === undefined || upstream.url === undefined) return [];
    if (/^https:/i.test(upstream.url)) return [];
    return [
      {
        path: ['routes', index, 'upstream', 'tls'],
        at: 'key',
        found: 'tls for an http URL',
        expected: 'an https URL, or no tls',
      },
    ];
  });

export const certificateWithKey: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, { upstream }]): readonly Finding[] => {
    const tls = typeof upstream === 'object' ? upstream.tls : undefined;
    if (tls === undefined || 'certFile' in tls === 'keyFile' in tls) return [];
    const missing = 'certFile' in tls ? 'keyFile' : 'certFile';
    return [
      {
        path: ['routes', index, 'upstream', 'tls', missing],
        found: 'nothing',
        expected: 'both certFile and keyFile, or neither',
      },
    ];
  });
