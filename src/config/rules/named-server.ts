import { closest } from '../closest.ts';
import { quote } from '../describe.ts';
import type { Draft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import type { Path } from '../path.ts';
import { knownNames, nameOf } from './authorization-servers.ts';
import type { Rule } from './rule.ts';

interface Naming {
  readonly path: Path;
  /** What a key says; undefined where that is faulty. */
  readonly name: string | undefined;
}

/** What is wrong with naming this authorization server; nothing where the names of them aren't all known. */
function faultsOfName(draft: Draft, { path, name }: Naming): readonly Finding[] {
  const names = knownNames(draft);
  if (name === undefined || names === undefined || names.includes(name)) return [];
  const near = closest(name, names);
  const expected =
    names.length === 0
      ? 'the name of one of authorizationServers, of which there are none'
      : `one of ${names.join(', ')}`;
  const hint = near === undefined ? {} : { hint: `did you mean ${near}?` };
  return [{ path, found: quote(name), expected, ...hint }];
}

/** The same where the server is asked for its metadata; `why` says what for. */
export function faultsOfAskedName(
  draft: Draft,
  { path, name, why }: Naming & { readonly why?: string },
): readonly Finding[] {
  if (name === undefined || !namesWithoutMetadata(draft).includes(name))
    return faultsOfName(draft, { path, name });
  const found = `${quote(name)}, which has discovery: off`;
  const hint = why === undefined ? {} : { hint: why };
  return [{ path, found, expected: 'a server with discovery: auto', ...hint }];
}

/** A route may name the servers whose tokens it takes. */
export const knownServers: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]) =>
    (route.authorizationServers ?? []).flatMap((name, item) =>
      faultsOfName(draft, { path: ['routes', index, 'authorizationServers', item], name }),
    ),
  );

/** The mirror names one of the servers, whose metadata may be asked for. */
export const knownMirror: Rule = (draft) =>
  faultsOfAskedName(draft, { path: ['discovery', 'mirror'], name: draft.discovery?.mirror });

export function namesWithoutMetadata(draft: Draft): readonly string[] {
  return entriesOf(draft.authorizationServers).flatMap(([, server]) => {
    const name = server.discovery === 'off' ? nameOf(server) : undefined;
    return name === undefined ? [] : [name];
  });
}
