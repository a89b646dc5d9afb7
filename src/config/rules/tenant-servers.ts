import { fillTenant } from '../../vocabulary/tenant.ts';
import { quote } from '../describe.ts';
import type { Draft, RouteDraft, ServerDraft } from '../draft.ts';
import { entriesOf } from '../draft.ts';
import type { Finding } from '../finding.ts';
import type { Path } from '../path.ts';
import { isPlainHttp, knownNames, nameOf } from './authorization-servers.ts';
import type { Rule } from './rule.ts';
import { servesTenants } from './tenants.ts';

interface Lender {
  readonly at: number;
  readonly server: ServerDraft;
}

/** The servers whose tokens a route takes; undefined where not all are known. */
function serversOf(draft: Draft, route: RouteDraft): readonly Lender[] | undefined {
  const names = knownNames(draft);
  const wanted = 'authorizationServers' in route ? route.authorizationServers : names;
  if (names === undefined || wanted === undefined) return undefined;
  const servers = entriesOf(draft.authorizationServers).map(([at, server]) => ({ at, server }));
  const found = wanted.flatMap((name) => servers.filter(({ server }) => nameOf(server) === name));
  return found.length === wanted.length ? found : undefined;
}

/** Two servers with one issuer for each tenant would be the same one under two rules. */
export const tenantIssuerNeedsOneServer: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]): readonly Finding[] => {
    const servers = serversOf(draft, route);
    if (route.tenant?.issuer === undefined || servers === undefined || servers.length < 2) return [];
    const key = 'authorizationServers' in route ? 'authorizationServers' : 'tenant';
    return [
      {
        path: ['routes', index, key],
        at: 'key',
        found: `${servers.length} authorization servers, and one issuer for each tenant`,
        expected: 'authorizationServers with one name, whose settings hold for the issuers of all tenants',
      },
    ];
  });

/** Settings of a server that would let one tenant's token pass for another's. */
export const tenantIssuerHolds: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]): readonly Finding[] => {
    const [lender, ...others] = serversOf(draft, route) ?? [];
    if (route.tenant?.issuer === undefined || lender === undefined || others.length > 0) return [];
    const { at, server } = lender;
    const because = `because routes[${index}] tells tenants apart by their issuers`;
    return [
      ...(server.verify?.iss === false
        ? [weakened(at, ['verify', 'iss'], { found: 'false', expected: `true, ${because}` })]
        : []),
      ...(server.requireExp === false
        ? [weakened(at, ['requireExp'], { found: 'false', expected: `true, ${because}` })]
        : []),
      ...('introspection' in server
        ? [
            weakened(at, ['introspection'], {
              found: 'introspection',
              expected: `no introspection, ${because}`,
              hint: "an answer about a token needn't name its issuer, so nothing tells of which tenant it is",
            }),
          ]
        : []),
      ...plainHttp(index, route, server),
    ];
  });

function weakened(at: number, key: Path, words: Omit<Finding, 'path'>): Finding {
  return { path: ['authorizationServers', at, ...key], ...words };
}

function plainHttp(index: number, { tenant }: RouteDraft, server: ServerDraft): readonly Finding[] {
  const issuer = tenant?.issuer;
  const allowed = server.dangerouslyAllowHttp ?? 'dangerouslyAllowHttp' in server;
  if (issuer === undefined || allowed || !isPlainHttp(fillTenant(issuer, 'tenant'))) return [];
  return [
    {
      path: ['routes', index, 'tenant', 'issuer'],
      found: quote(issuer),
      expected: 'an https URL',
      hint: "if the network in between is yours alone, put dangerouslyAllowHttp: true beside the server's issuer",
    },
  ];
}

/** Anyone may read metadata and challenges: each tenant that a stranger names would be asked for its scopes. */
export const tenantScopesAreWritten: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]) =>
    (['scopesSupported', 'challengeScopes'] as const)
      .filter(
        (key) =>
          route[key] === 'from-authorization-server' &&
          route.tenant?.issuer !== undefined &&
          servesTenants(route) === true,
      )
      .map((key): Finding => ({
        path: ['routes', index, key],
        found: 'from-authorization-server',
        expected: 'a list of scopes, because every tenant has an issuer of its own',
        hint: 'without a token, anyone could make the gateway ask one tenant after another',
      })),
  );

/** Something must say of a token which tenant it is for: its audience, its issuer or a claim. */
export const tenantsAreToldApart: Rule = (draft) =>
  entriesOf(draft.routes).flatMap(([index, route]): readonly Finding[] => {
    const { tenant } = route;
    if (tenant === undefined || 'issuer' in tenant || 'claim' in tenant || servesTenants(route) !== true)
      return [];
    const replacing = replacingAudiences(draft, route);
    if (replacing === undefined) return [];
    return [
      {
        path: ['routes', index, 'tenant'],
        at: 'key',
        found: `no issuer and no claim, and ${replacing} instead of each tenant's resource`,
        expected: 'tenant.issuer, tenant.claim, or no audiences',
        hint: 'a token of one tenant would be good for all of them',
      },
    ];
  });

function replacingAudiences(draft: Draft, route: RouteDraft): string | undefined {
  if ('audiences' in route) return (route.audiences ?? []).length > 0 ? 'audiences' : undefined;
  const sharing = serversOf(draft, route)?.find(({ server }) => (server.audiences ?? []).length > 0);
  return sharing === undefined ? undefined : `authorizationServers[${sharing.at}].audiences`;
}
