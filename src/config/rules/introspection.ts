import type { ServerDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import type { Path } from '../path.ts';
import type { Rule } from './rule.ts';

type IntrospectionDraft = NonNullable<ServerDraft['introspection']>;

const ofKeys = ['privateKey', 'keyId', 'algorithm'] as const;

/** Each way to prove who asks needs its own secret, and has no use for the other's. */
export const clientProvesItself: Rule = (draft) =>
  entriesOf(draft.authorizationServers).flatMap(([index, { introspection }]) =>
    introspection === undefined
      ? []
      : proofFindings(introspection, ['authorizationServers', index, 'introspection']),
  );

function proofFindings(introspection: IntrospectionDraft, path: Path): readonly Finding[] {
  const { auth } = introspection;
  // What is faulty by itself says nothing of what was meant.
  if (auth === undefined && 'auth' in introspection) return [];
  const method = auth ?? 'client_secret_basic';
  const [needed, useless] =
    method === 'private_key_jwt'
      ? (['privateKey', ['clientSecret']] as const)
      : (['clientSecret', ofKeys] as const);
  const missing: readonly Finding[] =
    needed in introspection
      ? []
      : [{ path: [...path, needed], found: 'nothing', expected: `${needed}, because auth is ${method}` }];
  return [
    ...missing,
    ...useless
      .filter((key) => introspection[key] !== undefined)
      .map((key): Finding => ({
        path: [...path, key],
        at: 'key',
        found: `${key} with auth: ${method}, which doesn't use it`,
        expected: `introspection without it, or another auth`,
        ...(key === 'privateKey' ? { hint: 'add auth: private_key_jwt' } : {}),
      })),
  ];
}

export const introspectionWithoutDiscovery: Rule = (draft) =>
  entriesOf(draft.authorizationServers).flatMap(([index, server]): readonly Finding[] => {
    if (server.discovery !== 'off' || server.introspection === undefined) return [];
    if ('endpoint' in server.introspection) return [];
    const path = ['authorizationServers', index, 'introspection', 'endpoint'];
    return [{ path, found: 'nothing', expected: 'the introspection endpoint, because discovery is off' }];
  });
