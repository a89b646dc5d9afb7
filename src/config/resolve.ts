import type { AuthorizationServer, Configuration, Listen } from './configuration.ts';
import { defaultServerName } from './derive.ts';
import type { Listening } from './environment.ts';
import { isLoopback } from './fields/web-address.ts';
import { resolveIntrospection } from './resolve-introspection.ts';
import { resolveRoutes } from './resolve-route.ts';
import { serversInUse } from './resolve-tenant.ts';
import type { CheckedConfiguration } from './schema.ts';
import type { NamedFiles } from './sources.ts';
import { findWeakenings } from './weakenings.ts';

type CheckedServer = CheckedConfiguration['authorizationServers'][number];

/** What the gateway runs on, from a file without faults. Proves nothing itself: every check was made before. */
export function resolve(
  checked: CheckedConfiguration,
  files: NamedFiles,
  overrides: Listening,
): Configuration {
  const { publicUrl, hosts, ops, log, stop } = checked;
  const listed = checked.authorizationServers.map((server) => resolveServer(server, files));
  const allowHttp = new Set(
    listed
      .filter((_server, index) => checked.authorizationServers[index]?.dangerouslyAllowHttp === true)
      .map(({ name }) => name),
  );
  const mirror = listed.find(({ name }) => name === checked.discovery?.mirror);
  const listen = resolveListen(checked.listen, files, overrides);
  const routes = resolveRoutes(checked, listed, files);
  const usedByRoutes = routes.flatMap((route) => route.authorizationServers);
  const audit = typeof log.audit === 'object' ? { file: files.locate(log.audit.file) } : log.audit;
  return freeze({
    publicUrl,
    hosts: hosts ?? hostsOf(publicUrl),
    listen,
    ops: { ...ops, ...overrides.ops },
    log: { level: log.level, audit },
    stop,
    sessions: {
      ...(checked.sessions === undefined ? {} : { key: files.secretOf(checked.sessions.key) }),
      previous: (checked.sessions?.previous ?? []).map((name) => files.secretOf(name)),
    },
    state:
      typeof checked.state === 'string'
        ? 'memory'
        : { redis: { url: files.secretOf(checked.state.redis.url) } },
    limits: checked.limits.perAddress === undefined ? {} : { perAddress: checked.limits.perAddress },
    authorizationServers: serversInUse(listed, usedByRoutes, mirror),
    routes,
    ...(mirror === undefined ? {} : { mirror }),
    weakenings: findWeakenings({ listen, authorizationServers: listed, routes }, allowHttp),
  });
}

/** People and tools write the three names of the own machine interchangeably. */
function hostsOf(publicUrl: string): readonly string[] {
  const { hostname } = new URL(publicUrl);
  const names = ['localhost', '127.0.0.1', '[::1]'];
  return isLoopback(hostname) ? [...new Set([hostname, ...names])] : [hostname];
}

function resolveListen(
  { tls, ...listen }: CheckedConfiguration['listen'],
  files: NamedFiles,
  overrides: Listening,
): Listen {
  return {
    ...listen,
    ...overrides.listen,
    ...(tls === undefined
      ? {}
      : { tls: { cert: files.textOf(tls.certFile), key: files.textOf(tls.keyFile) } }),
  };
}

function resolveServer(server: CheckedServer, files: NamedFiles): AuthorizationServer {
  const { algorithms, audiences, discovery, tokenTypes, requireExp, verify, claims, keys } = server;
  const [first, ...others] = typeof server.issuer === 'string' ? [server.issuer] : server.issuer;
  if (first === undefined) throw new Error('an authorization server without an issuer passed the checks');
  const caFile = server.tls?.caFile;
  return {
    name: server.name ?? defaultServerName(first),
    issuers: [first, ...others],
    discovery,
    ...(server.jwksUri === undefined ? {} : { jwksUri: server.jwksUri }),
    ...(caFile === undefined ? {} : { ca: files.textOf(caFile) }),
    algorithms,
    audiences,
    tokenTypes,
    leeway: server.leeway / 1000,
    requireExp,
    verify,
    claims,
    ...(server.introspection === undefined
      ? {}
      : { introspection: resolveIntrospection(server.introspection, files) }),
    allowHosts: server.allowHosts,
    keys,
  };
}

/** Through the whole tree: what every stage shares no stage may change. */
function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value))
    if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) freeze(part);
  return Object.freeze(value);
}
