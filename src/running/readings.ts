import type { Assemblies } from './assemblies.ts';
import type { Assembly } from './assembly.ts';
import type { Authorities } from '../authorization-servers/authority.ts';
import type { Foundation } from './foundation.ts';
import type { Readings } from '../telemetry/metrics.ts';

/** What the metrics are told when Prometheus asks: of the newest configuration, and of what outlives it. */
export function readingsOf(
  { remembered, state }: Foundation,
  assemblies: Assemblies<Assembly>,
): Omit<Readings, 'droppedLines' | 'ready'> {
  return {
    rememberedSignatures: () => remembered.size,
    tenantsHeld: () => ({
      routes: assemblies.newest.tenantRoutes.held,
      authorizationServers: assemblies.newest.authorities.tenantsHeld,
    }),
    redisConnected: state.isConnected,
    windowsHeld: state.windowsHeld,
    keyAges: () => keyAgesOf(assemblies.newest.authorities),
    introspectionPauses: () => pausesOf(assemblies.newest.authorities),
    configurationsHeld: () => assemblies.held,
  };
}

function pausesOf({ configured }: Authorities): ReturnType<Readings['introspectionPauses']> {
  return configured.flatMap(({ server, introspection }) =>
    introspection === undefined
      ? []
      : [{ authorizationServer: server.name, isPaused: introspection.isPaused }],
  );
}

/** A server that says itself that it has none misses nothing. */
function keyAgesOf({ configured }: Authorities): ReturnType<Readings['keyAges']> {
  return configured
    .filter(({ keys }) => keys.size > 0 || keys.ageMs === undefined)
    .map(({ server, keys }) => ({
      authorizationServer: server.name,
      ageMs: keys.ageMs,
      keys: keys.size,
      refreshMs: server.keys.ttl,
      lifetimeMs: server.keys.ttl + server.keys.maxStale,
    }));
}
