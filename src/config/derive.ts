import { routePath } from './fields/route-path.ts';
import { publicUrl } from './fields/web-address.ts';

/** The name of an authorization server that has none: the issuer's host and path. */
export function defaultServerName(issuer: string): string {
  const { host, pathname } = new URL(issuer);
  return `${host}${pathname}`.replace(/\/$/, '');
}

/** Host and base path of the public URL with the route's path, in canonical form. */
export function publicAddress(
  publicUrlText: string,
  pathText: string,
): { readonly path: string; readonly resource: string } {
  const base = publicUrl.parse(publicUrlText);
  const path = routePath.parse(pathText);
  const resource = path === '/' ? base : `${base}${path}`;
  return { path: partsOf(resource).path || '/', resource };
}

/** RFC 9728 §3.1: the well-known stands between host and path; a query is kept. */
export function resourceMetadataUrl(resource: string): string {
  const { origin, path, query } = partsOf(resource);
  return `${origin}${bareMetadataPath}${path}${query}`;
}

/** The path of `resourceMetadataUrl`. */
export function metadataPath(resource: string): string {
  return `${bareMetadataPath}${partsOf(resource).path}`;
}

/** Of a URL in canonical form. The URL parser would encode `{tenant}`. */
function partsOf(url: string): { readonly origin: string; readonly path: string; readonly query: string } {
  const [, origin = '', path = '', query = ''] = /^([^/]*\/\/[^/?]*)([^?]*)(.*)$/.exec(url) ?? [];
  return { origin, path, query };
}

export const bareMetadataPath = '/.well-known/oauth-protected-resource';
