import type { AuthorizationServer, Configuration, Route } from '../config/configuration.ts';
import type { Refusal } from '../vocabulary/refusal.ts';
import { isForm } from '../vocabulary/tenant.ts';
import type { MirrorSource } from './metadata-mirror.ts';
import { mirroredMetadata, mirrorPaths } from './metadata-mirror.ts';
import { metadataPaths, protectedResourceMetadata } from './protected-resource-metadata.ts';

export interface Document {
  readonly text: string;
  readonly cacheControl: string;
}

/** What stands at one path: at once where it was made at the start, later where an authorization server is asked. */
export type Publication = () => Document | Promise<Document | Refusal>;

export interface PublicationSources {
  readonly configuration: Configuration;
  readonly liveScopes: (route: Route) => { get(): Promise<readonly string[]> };
  /** The tenant's route whose metadata stands at a path; undefined where no tenant may be named so. */
  readonly tenantRouteDescribedAt: (path: string) => Route | undefined;
  /** The keys that sign assertions. */
  readonly signingKeys: { document(): Promise<string> };
  readonly authorities: {
    of(server: AuthorizationServer): { readonly metadata: MirrorSource };
  };
}

/** What stands at the path of a request, as it comes. */
export function publicationsOf(sources: PublicationSources): (path: string) => Publication | undefined {
  const fixed = fixedPublications(sources);
  return (path) => {
    const publication = fixed.get(path);
    if (publication !== undefined) return publication;
    const route = sources.tenantRouteDescribedAt(path);
    return route !== undefined && isPublished(route) ? ofRoute(route, sources) : undefined;
  };
}

function isPublished(route: Route): boolean {
  return route.access !== 'open' && route.discovery === 'on';
}

function fixedPublications(sources: PublicationSources): ReadonlyMap<string, Publication> {
  const { routes, mirror } = sources.configuration;
  const published = routes.filter((route) => isPublished(route) && !isForm(route));
  const ofRoutes = published.flatMap((route) => {
    const publication = ofRoute(route, sources);
    return metadataPaths(route).map((path) => [path, publication] as const);
  });
  const own = [...ofRoutes, ...ofSigningKeys(sources)];
  if (mirror === undefined) return new Map(own);
  const mirrored: Publication = mirroredMetadata(mirror, sources.authorities.of(mirror).metadata);
  const paths = mirrorPaths(sources.configuration, published);
  return new Map([...own, ...paths.map((path) => [path, mirrored] as const)]);
}

/** What nothing is signed with isn't shown. */
function ofSigningKeys({
  configuration,
  signingKeys,
}: PublicationSources): readonly (readonly [string, Publication])[] {
  if (configuration.routes.every(({ identity }) => identity.assertion === undefined)) return [];
  // Not longer than it takes to notice a new key: a verifier that knows none of its name should look again.
  const publication = async (): Promise<Document> => ({
    text: await signingKeys.document(),
    cacheControl: 'public, max-age=300',
  });
  return [['/.well-known/portcullis/jwks.json', publication]];
}

function ofRoute(route: Route, { liveScopes }: PublicationSources): Publication {
  const { scopesSupported } = route;
  if (scopesSupported !== 'from-authorization-server') {
    const document = {
      text: protectedResourceMetadata(route, scopesSupported),
      cacheControl: 'public, max-age=300',
    };
    return () => document;
  }
  const live = liveScopes(route);
  // A list that an outage made empty must not be kept by anyone on the way.
  return async () => ({
    text: protectedResourceMetadata(route, await live.get()),
    cacheControl: 'no-cache',
  });
}
