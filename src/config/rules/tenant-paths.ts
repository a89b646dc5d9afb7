import { fillTenant, isTenantName, tenantPlace } from '../../vocabulary/tenant.ts';
import { metadataPath, publicAddress } from '../derive.ts';
import { quote } from '../describe.ts';
import type { Draft, RouteDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import { compilePattern, usualTenants } from '../fields/tenant.ts';
import { routePath } from '../fields/route-path.ts';
import { resource } from '../fields/web-address.ts';
import type { Finding } from '../finding.ts';
import type { Rule } from './rule.ts';
import { servesTenants } from './tenants.ts';

interface Place {
  readonly index: number;
  readonly text: string;
  readonly segments: readonly string[];
  /** Whether a segment may stand for a tenant of it. */
  readonly takes: (segment: string) => boolean;
}

/** The path of a route with its fixed tenant in it; undefined where it isn't known. */
export function pathOfDraft({ path, tenant }: RouteDraft): string | undefined {
  if (path === undefined) return undefined;
  const plain = routePath.parse(path);
  return tenant?.fixed === undefined ? plain : fillTenant(plain, tenant.fixed);
}

/** In any case, as careless proxies compare. */
function tenantsOf({ tenant }: RouteDraft): (segment: string) => boolean {
  if (tenant === undefined || ('pattern' in tenant && tenant.pattern === undefined)) return () => false;
  const pattern = new RegExp(compilePattern(tenant.pattern ?? usualTenants).source, 'i');
  return (segment) => isTenantName(segment) && pattern.test(segment);
}

function placesOf(draft: Draft): readonly Place[] {
  return entriesOf(draft.routes).flatMap(([index, route]): readonly Place[] => {
    const text = pathOfDraft(route);
    if (text === undefined || servesTenants(route) === undefined) return [];
    return [{ index, text, segments: text.split('/').slice(1), takes: tenantsOf(route) }];
  });
}

function meets(one: Place, other: Place): boolean {
  if (one.segments.length !== other.segments.length) return false;
  return one.segments.every((segment, at) => {
    const against = other.segments[at] ?? '';
    if (segment === against) return true;
    if (segment === tenantPlace) return one.takes(against);
    return against === tenantPlace ? other.takes(segment) : segment.toLowerCase() === against.toLowerCase();
  });
}

/** The path of one route that is that of a tenant of another. */
export const distinctFromTenants: Rule = (draft) => {
  const places = placesOf(draft).filter(({ text }) => text !== '/');
  return places.flatMap((own, at): readonly Finding[] => {
    const other = places
      .slice(0, at)
      .find((earlier) => standApartByTenant(own, earlier) && meets(own, earlier));
    if (other === undefined) return [];
    return [
      {
        path: ['routes', own.index, 'path'],
        found: quote(own.text),
        expected: `a path that no tenant of routes[${other.index}].path ${quote(other.text)} can have`,
        hint: 'a tenant could be named so that both are meant: take another path, or a narrower tenant.pattern',
      },
    ];
  });
};

/** Pairs that would differ if `{tenant}` were a name like others; what is left is told as equal paths. */
function standApartByTenant(one: Place, other: Place): boolean {
  const apart = one.text.toLowerCase() !== other.text.toLowerCase();
  return apart && (one.text.includes(tenantPlace) || other.text.includes(tenantPlace));
}

/** A tenant's metadata address (RFC 9728 §3.1) that is another route's, whose resource it then shares. */
export const metadataDistinctFromTenants: Rule = (draft) => {
  const { publicUrl } = draft;
  if (publicUrl === undefined) return [];
  const forms = placesOf(draft)
    .filter(({ segments }) => segments.includes(tenantPlace))
    .map((form) => ({ ...form, segments: segmentsOf(publicAddress(publicUrl, form.text).resource) }));
  return entriesOf(draft.routes).flatMap(([index, route]): readonly Finding[] => {
    if (route.resource === undefined || servesTenants(route) === true) return [];
    const segments = segmentsOf(resource.parse(route.resource));
    const form = forms.find(
      (candidate) =>
        candidate.segments.length === segments.length &&
        candidate.segments.every((segment, at) =>
          segment === tenantPlace ? candidate.takes(segments[at] ?? '') : segment === segments[at],
        ),
    );
    if (form === undefined) return [];
    const found = `${quote(route.resource)}, the resource of a tenant of routes[${form.index}]`;
    return [{ path: ['routes', index, 'resource'], found, expected: 'a resource of its own' }];
  });
};

function segmentsOf(resourceText: string): readonly string[] {
  return metadataPath(resourceText).split('/');
}
