import { quote } from '../describe.ts';
import type { Draft, RouteDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import {
  normaliseHeader,
  whyNoIdentityHeader,
  whyNoRequestHeader,
  whyNoResponseHeader,
} from '../fields/header-name.ts';
import type { Finding } from '../finding.ts';
import { identityOf } from '../identity-names.ts';
import type { Path } from '../path.ts';
import type { Rule } from './rule.ts';

interface NamedHeader {
  /** Undefined for one that a preset brings. */
  readonly path: Path | undefined;
  readonly name: string;
}

/** The headers that tell the upstream who asks. */
export function identityHeaders(route: RouteDraft, index: number): readonly NamedHeader[] {
  const given = route.identity ?? {};
  const { headers, claims } = identityOf(given);
  const base: Path = ['routes', index, 'identity'];
  const named = (group: 'headers' | 'claims', key: string, name: string): NamedHeader => ({
    path: Object.hasOwn(given[group] ?? {}, key) ? [...base, group, key] : undefined,
    name,
  });
  return [
    ...Object.entries(headers).map(([key, name]) => named('headers', key, name)),
    ...claims.map(({ header }) => named('claims', header, header)),
    ...assertionHeader(given.assertion, base),
  ];
}

type AssertionDraft = NonNullable<RouteDraft['identity']>['assertion'];

function assertionHeader(assertion: AssertionDraft, base: Path): readonly NamedHeader[] {
  if (assertion === undefined) return [];
  const path: Path = [...base, 'assertion'];
  if (!Object.hasOwn(assertion, 'header')) return [{ path, name: 'X-Auth-Assertion' }];
  return assertion.header === undefined ? [] : [{ path: [...path, 'header'], name: assertion.header }];
}

/** Two of one name would arrive as one list, and neither could be told. */
export const distinctIdentityHeaders: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]) => {
    const seen = new Map<string, NamedHeader>();
    return identityHeaders(route, index).flatMap((header): readonly Finding[] => {
      const plain = normaliseHeader(header.name);
      const other = seen.get(plain);
      if (other === undefined) seen.set(plain, header);
      if (other === undefined) return [];
      const path = header.path ?? other.path ?? ['routes', index, 'identity'];
      const hint = 'case, _ and - make no difference: many servers read them as one';
      return [
        {
          path,
          at: path.includes('claims') ? 'key' : 'value',
          found: `the header ${quote(header.name)}, which tells something else already`,
          expected: 'a header of its own',
          hint,
        },
      ];
    });
  });

export const usableIdentityHeaders: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]) =>
    identityHeaders(route, index).flatMap(({ path, name }): readonly Finding[] => {
      const reason = whyNoIdentityHeader(name);
      if (reason === undefined || path === undefined) return [];
      return [
        {
          path,
          at: path.includes('claims') ? 'key' : 'value',
          found: quote(name),
          expected: 'a header of its own, such as X-Auth-Subject',
          hint: `${name} is ${reason}`,
        },
      ];
    }),
  );

/** What a client must never say to the upstream in a header. */
export const usableRequestHeaders: Rule = (draft) => {
  const assertions = assertionNames(draft);
  return entriesOf(draft.routes).flatMap(([index, route]) => {
    const own = identityHeaders(route, index).map(({ name }) => normaliseHeader(name));
    const identity = new Set([...own, ...assertions]);
    const why = (name: string): string | undefined =>
      identity.has(normaliseHeader(name))
        ? 'the header that tells who asks: a client could be anyone'
        : whyNoRequestHeader(name);
    return addedHeaders(route, 'requestHeaders').flatMap(([item, name]) =>
      unusable(['routes', index, 'upstream', 'requestHeaders', item], name, why(name)),
    );
  });
};

/** Of all routes: two may lead to one server, which believes on either what it believes on the other. */
function assertionNames({ routes }: Draft): readonly string[] {
  return entriesOf(routes).flatMap(([, { identity }]) =>
    assertionHeader(identity?.assertion, []).map(({ name }) => normaliseHeader(name)),
  );
}

export const usableResponseHeaders: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]) =>
    addedHeaders(route, 'responseHeaders').flatMap(([item, name]) =>
      unusable(['routes', index, 'upstream', 'responseHeaders', item], name, whyNoResponseHeader(name)),
    ),
  );

function addedHeaders(
  { upstream }: RouteDraft,
  key: 'requestHeaders' | 'responseHeaders',
): readonly (readonly [number, string])[] {
  const names = typeof upstream === 'object' ? (upstream[key] ?? []) : [];
  return [...names.entries()].filter((entry): entry is [number, string] => entry[1] !== undefined);
}

function unusable(path: Path, name: string, reason: string | undefined): readonly Finding[] {
  return reason === undefined
    ? []
    : [{ path, found: quote(name), expected: 'a header that may pass', hint: `${name} is ${reason}` }];
}
