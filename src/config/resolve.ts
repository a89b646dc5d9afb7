import { hash } from 'node:crypto';

import type { AuthorizationServer, Configuration, Listen, StatePlace } from './configuration.ts';
import { defaultServerName } from './derive.ts';
import type { Listening } from './environment.ts';
import { isLoopback } from './fields/web-address.ts';
import { exchangingServers } from './resolve-credentials.ts';
import { findIneffective } from './ineffective.ts';
import { resolveIntrospection } from './resolve-introspection.ts';
import { resolveLogin, resolveTokenStore } from './resolve-oauth.ts';
import { resolveRoutes } from './resolve-route.ts';
import { serversInUse } from './resolve-tenant.ts';
import { resolveSigning } from './resolve-signing.ts';
import { resolveTls } from './resolve-tls.ts';
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
    hash: hashOf(checked),
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
    signing: resolveSigning(checked.signing, files),
    state: resolveState(checked.state, files),
    ...(checked.tokenStore === undefined ? {} : { tokenStore: resolveTokenStore(checked.tokenStore, files) }),
    login: resolveLogin(checked.login, files),
    limits: checked.limits.perAddress === undefined ? {} : { perAddress: checked.limits.perAddress },
    authorizationServers: serversInUse(listed, [...usedByRoutes, ...exchangingServers(routes)], mirror),
    routes,
    ...(mirror === undefined ? {} : { mirror }),
    ineffective: findIneffective(routes),
    weakenings: findWeakenings({ listen, authorizationServers: listed, routes }, allowHttp),
  });
}

/** Sixteen characters tell the configurations of one gateway apart. Secrets are names here, so none can be guessed from it. */
function hashOf(checked: CheckedConfiguration): string {
  const text = JSON.stringify(checked, (_key, value: unknown) =>
    value instanceof RegExp ? String(value) : value,
  );
  return hash('sha256', text, 'hex').slice(0, 16);
}

/** People and tools write the three names of the own machine interchangeably. */
function hostsOf(publicUrl: string): readonly string[] {
  const { hostname } = new URL(publicUrl);
  const names = ['localhost', '127.0.0.1', '[::1]'];
  return isLoopback(hostname) ? [...new Set([hostname, ...names])] : [hostname];
}

function resolveState(state: CheckedConfiguration['state'], files: NamedFiles): StatePlace {
  if (typeof state === 'string') return 'memory';
  const { url, tls, prefix } = state.redis;
  return {
    redis: {
      url: files.secretOf(url),
      ...(tls === undefined ? {} : { tls: resolveTls(tls, files) }),
      prefix,
    },
  };
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
