import { bareMetadataPath, metadataPath, publicAddress } from '../derive.ts';
import type { Draft, RouteDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import { routePath } from '../fields/route-path.ts';
import { quote } from '../describe.ts';
import { resource } from '../fields/web-address.ts';
import type { Finding } from '../finding.ts';
import type { Path } from '../path.ts';
import { formatPath } from '../path.ts';
import type { Rule } from './rule.ts';
import { pathOfDraft } from './tenant-paths.ts';

interface Seen {
  readonly index: number;
  readonly text: string;
  /** As careless proxies and file systems compare it. */
  readonly plain: string;
}

/** Two paths that someone on the way could take for one, or one for a part of the other. */
export const distinctPaths: Rule = (draft) => {
  const seen: Seen[] = [];
  return entriesOf(draft.routes).flatMap(([index, route]): readonly Finding[] => {
    const path = pathOfDraft(route);
    if (path === undefined) return [];
    const text = route.tenant?.fixed === undefined ? (route.path ?? path) : path;
    const own = { index, text, plain: path.toLowerCase() };
    const other =
      seen.find(({ plain }) => plain === own.plain) ??
      seen.find(({ plain }) => isPrefix(plain, own.plain) || isPrefix(own.plain, plain));
    seen.push(own);
    return other === undefined ? [] : [clash(own, other)];
  });
};

/** The root is a prefix of none: no one takes it for one of the paths below. */
function isPrefix(path: string, longer: string): boolean {
  return longer.startsWith(`${path}/`);
}

function clash(own: Seen, other: Seen): Finding {
  const path = ['routes', own.index, 'path'];
  const place = `routes[${other.index}].path ${quote(other.text)}`;
  if (own.plain === other.plain) {
    const hint =
      own.text === other.text
        ? undefined
        : 'paths that differ only by case or a slash at the end are one for many proxies';
    return {
      path,
      found: quote(own.text),
      expected: `another path than ${place}`,
      ...(hint === undefined ? {} : { hint }),
    };
  }
  const [upper, lower] = own.plain.length < other.plain.length ? [own, other] : [other, own];
  const last = lower.text.replace(/\/$/, '').split('/').at(-1);
  const hint = `proxies route by prefix: ${upper.text} would stand for both; take paths side by side, such as ${upper.text.replace(/\/$/, '')}-${last}`;
  return { path, found: quote(own.text), expected: `a path neither above nor below ${place}`, hint };
}

/** Names tell routes apart in logs, metrics and realms. */
export const distinctRouteNames: Rule = (draft) => {
  const seen = new Map<string, Path>();
  return entriesOf(draft.routes).flatMap(([index, route]): readonly Finding[] => {
    const hasName = route.name !== undefined;
    const name = hasName
      ? route.name
      : 'name' in route || route.path === undefined
        ? undefined
        : routePath.parse(route.path);
    if (name === undefined) return [];
    const other = seen.get(name);
    const path = ['routes', index, hasName ? 'name' : 'path'];
    if (other === undefined) seen.set(name, path);
    // Two default names are two equal paths, which is told elsewhere.
    return other === undefined || (!hasName && other.at(-1) === 'path')
      ? []
      : [{ path, found: quote(name), expected: `another name than ${formatPath(other)} has` }];
  });
};

export const oneDefault: Rule = (draft) => {
  const [first, ...others] = entriesOf(draft.routes).filter(([, route]) => route.default === true);
  return others.map(([index]) => ({
    path: ['routes', index, 'default'],
    found: 'a second default route',
    expected: 'one at most',
    hint: `routes[${first?.[0]}] is the default already`,
  }));
};

/** Whether the metadata of a route is published. */
function publishes({ access = 'required', discovery = 'on' }: RouteDraft): boolean {
  return access !== 'open' && discovery === 'on';
}

/** Each metadata document has one address (RFC 9728 §3.1). */
export const distinctMetadata: Rule = (draft) => {
  const seen = new Map<string, number>();
  const published = entriesOf(draft.routes).filter(([, route]) => publishes(route));
  const addresses = published.flatMap(([index, route]) => [[index, metadataAddress(draft, route)] as const]);
  const findings = addresses.flatMap(([index, address]): readonly Finding[] => {
    const other = address === undefined ? undefined : seen.get(address);
    if (address !== undefined && other === undefined) seen.set(address, index);
    if (other === undefined || !hasOwnResource(draft, [other, index])) return [];
    return [
      {
        path: ['routes', index, 'resource'],
        found: `the metadata address ${address}, which routes[${other}] has as well`,
        expected: 'a resource of its own',
      },
    ];
  });
  return [...findings, ...bareClash(draft, addresses)];
};

/** Equal paths without a resource of their own are told as equal paths. */
function hasOwnResource(draft: Draft, indices: readonly number[]): boolean {
  return indices.some((index) => draft.routes?.[index]?.resource !== undefined);
}

function bareClash(
  draft: Draft,
  addresses: readonly (readonly [number, string | undefined])[],
): readonly Finding[] {
  const root = addresses.find(([, address]) => address === bareMetadataPath)?.[0];
  const marked = entriesOf(draft.routes).find(([, route]) => route.default === true)?.[0];
  if (root === undefined || marked === undefined || root === marked) return [];
  const hint = `the bare well-known URL belongs to routes[${root}], whose resource has no path`;
  return [
    {
      path: ['routes', marked, 'default'],
      found: 'a default route beside one at the root',
      expected: `default: true on routes[${root}], or on none`,
      hint,
    },
  ];
}

function metadataAddress({ publicUrl }: Draft, route: RouteDraft): string | undefined {
  if (route.resource !== undefined) return metadataPath(resource.parse(route.resource));
  const path = pathOfDraft(route);
  if ('resource' in route || publicUrl === undefined || path === undefined) return undefined;
  return metadataPath(publicAddress(publicUrl, path).resource);
}
