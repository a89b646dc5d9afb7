import type { AuthorizationServer, Configuration, Route, Weakening } from './configuration.ts';
import { holdsStrangers } from './fields/network.ts';

type Resolved = Pick<Configuration, 'listen' | 'authorizationServers' | 'routes'>;

/** More than clocks differ; beyond it an expired token lives on. */
const unusualLeewaySeconds = 300;

/** Who withdraws a key expects it to be over the day after. */
const unusualKeyAgeMs = 86_400_000;

/** People who revoke a token expect it to be over within a minute. */
const unusualCacheMs = 60_000;

/** What the file allows that the defaults don't, each in a sentence for the operator. */
export function findWeakenings(
  { listen, authorizationServers, routes }: Resolved,
  allowHttp: ReadonlySet<string>,
): readonly Weakening[] {
  return [
    ...listen.trustProxy.flatMap((range, index): readonly Weakening[] =>
      holdsStrangers(range)
        ? [
            {
              path: `listen.trustProxy[${index}]`,
              says: `whoever connects from ${range} can write any address into the log by X-Forwarded-For`,
            },
          ]
        : [],
    ),
    ...authorizationServers.flatMap((server, index) =>
      ofServer(server, routes, allowHttp.has(server.name)).map(([key, says]) => ({
        path: `authorizationServers[${index}].${key}`,
        says,
      })),
    ),
    ...routes.flatMap((route, index) =>
      ofRoute(route).map(([key, says]) => ({ path: `routes[${index}].${key}`, says })),
    ),
  ];
}

function ofRoute({
  name,
  access,
  authorizationServers,
  streams: { closeOnExpiry },
  upstream,
}: Route): readonly (readonly [string, string])[] {
  // No one can tell from an opaque token whose it is, so that it is shown to one server after the other.
  const asked = authorizationServers.filter(({ introspection }) => introspection !== undefined);
  const names = asked.map((server) => server.name).join(', ');
  const cases: readonly (readonly [boolean, string, string])[] = [
    [
      upstream.sharedProcess === 'accept-risk',
      'upstream.sharedProcess',
      `route ${name}: people who use it at one time may see each other's answers`,
    ],
    [
      upstream.token === 'passthrough',
      'upstream.token',
      `route ${name}: its MCP server sees the tokens of clients, and can use them wherever they are good for`,
    ],
    [
      closeOnExpiry === 'never' || closeOnExpiry > unusualLeewaySeconds * 1000,
      'streams.closeOnExpiry',
      `route ${name}: streams go on after the token that opened them has expired`,
    ],
    [access === 'open', 'access', `route ${name} is open: anyone may use it without a token`],
    [
      access === 'optional',
      'access',
      `route ${name} is optional: without a token its rules decide what anyone may do`,
    ],
    [
      asked.length > 1,
      'authorizationServers',
      `opaque tokens on route ${name} are shown to ${names} in this order, whoever issued them`,
    ],
  ];
  return cases.filter(([holds]) => holds).map(([, key, says]) => [key, says]);
}

function ofServer(
  server: AuthorizationServer,
  routes: readonly Route[],
  allowsHttp: boolean,
): readonly (readonly [string, string])[] {
  const { name, verify, requireExp, leeway, audiences, introspection, keys } = server;
  const sharing = routes.filter(
    (route) =>
      route.audiences === undefined && route.authorizationServers.some((used) => used.name === server.name),
  );
  const cases: readonly (readonly [boolean, string, string])[] = [
    [!verify.exp, 'verify.exp', `expired tokens of ${name} are accepted`],
    [!verify.nbf, 'verify.nbf', `tokens of ${name} are accepted before they are valid`],
    [!verify.iat, 'verify.iat', `tokens of ${name} are accepted that were issued in the future`],
    [
      !verify.iss,
      'verify.iss',
      `tokens are accepted whatever issuer they name, if a key of ${name} signed them`,
    ],
    [!requireExp, 'requireExp', `tokens of ${name} without exp are accepted, and never expire`],
    [
      leeway > unusualLeewaySeconds,
      'leeway',
      `tokens of ${name} are accepted up to ${leeway} s after they expired`,
    ],
    [
      audiences.length > 0 && sharing.length > 1,
      'audiences',
      `a token of ${name} for one of the routes ${sharing.map((route) => route.name).join(', ')} is good for all of them`,
    ],
    [
      (introspection?.cache ?? 0) > unusualCacheMs,
      'introspection.cache',
      `a token that ${name} has revoked is accepted for up to ${(introspection?.cache ?? 0) / 1000} s`,
    ],
    [
      keys.ttl > unusualKeyAgeMs,
      'keys.ttl',
      `a key that ${name} has withdrawn is trusted for more than a day`,
    ],
    [
      keys.maxStale > unusualKeyAgeMs,
      'keys.maxStale',
      `while ${name} can't be asked, a key that it has withdrawn is trusted for more than a day`,
    ],
    [
      server.allowHosts.length > 0,
      'allowHosts',
      `documents of ${name} may lead the gateway to ${server.allowHosts.join(', ')}, wherever that is`,
    ],
    [
      allowsHttp,
      'dangerouslyAllowHttp',
      `${name} may be asked over plain http: whoever is on the way can replace its keys`,
    ],
  ];
  return cases.filter(([holds]) => holds).map(([, key, says]) => [key, says]);
}
