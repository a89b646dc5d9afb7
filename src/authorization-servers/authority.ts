import type { AuthorizationServer, Configuration } from '../config/configuration.ts';
import type { KeyFetch, Observer } from '../vocabulary/observer.ts';
import type { Fetch } from '../vocabulary/ports.ts';
import type { NetworkPorts } from './outbound/authority-fetch.ts';
import { openAuthorityFetch } from './outbound/authority-fetch.ts';
import { fetchKeys } from './keys/fetch-keys.ts';
import type { Introspection } from './introspection/introspection.ts';
import { KeySet } from './keys/key-set.ts';
import { ServerMetadata } from './metadata/metadata.ts';
import { openIntrospection } from './introspection/open-introspection.ts';
import type { StartTimer } from './keys/refresh-timer.ts';
import { startTimer } from './keys/refresh-timer.ts';
import type { TenantEvents } from './tenants/tenant-authorities.ts';
import { TenantAuthorities } from './tenants/tenant-authorities.ts';
import type { Standing } from './tenants/tenant-budget.ts';
import { TenantBudget } from './tenants/tenant-budget.ts';

/** An authorization server as the gateway knows it: its configuration, its metadata and its keys. */
export interface Authority {
  readonly server: AuthorizationServer;
  readonly metadata: ServerMetadata;
  readonly keys: KeySet;
  /** The one way to speak to this server, for every request to it. See `openAuthorityFetch`. */
  readonly fetch: Fetch;
  /** Where the configuration has it. */
  readonly introspection?: Introspection | undefined;
  /** Ends its connections and timers, and what was verified with its keys. */
  close(): void;
}

export interface AuthorityPorts extends NetworkPorts {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly observer: Observer;
  readonly startTimer?: StartTimer;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/**
 * The authorities of all configured authorization servers, and of the tenants that requests name. What a tenant
 * is, and whether one may be named, was decided before.
 */
export class Authorities {
  readonly #configured: ReadonlyMap<AuthorizationServer, Authority>;
  readonly #tenants: TenantAuthorities;

  /** Nothing is fetched yet. */
  constructor({ authorizationServers }: Configuration, ports: AuthorityPorts) {
    this.#configured = new Map(
      authorizationServers
        .filter(({ tenant }) => tenant === undefined)
        .map((server) => [server, configuredAuthority(server, ports)]),
    );
    const budget = new TenantBudget(ports.clock);
    this.#tenants = new TenantAuthorities((server, events) =>
      tenantAuthority(server, { ports, budget, events }),
    );
  }

  /** The authority of a configured server, or of a tenant's: equal servers of a tenant have one authority. */
  of(server: AuthorizationServer): Authority {
    const authority = this.#configured.get(server);
    if (authority !== undefined) return authority;
    if (server.tenant === undefined) throw new Error(`${server.name} isn't in the configuration`);
    return this.#tenants.of(server);
  }

  get configured(): readonly Authority[] {
    return [...this.#configured.values()];
  }

  /** Tenants' authorities in memory. */
  get tenantsHeld(): number {
    return this.#tenants.size;
  }

  /** Asks each configured server once; ends when the last answered or its time-out passed. Never rejects. */
  async askAll(): Promise<void> {
    await Promise.all(this.configured.map(({ keys }) => keys.ask()));
  }

  /** Ends all timers and connections. */
  close(): void {
    for (const authority of this.configured) authority.close();
    this.#tenants.close();
  }
}

function configuredAuthority(server: AuthorizationServer, ports: AuthorityPorts): Authority {
  const { clock, observer } = ports;
  const line = openAuthorityFetch(server, ports);
  const { fetch } = line;
  const metadata = new ServerMetadata(server, { clock, fetch });
  const keys = new KeySet(server, {
    clock,
    load: () => fetchKeys({ server, metadata, fetch }),
    onFetch: observer.keysFetched,
    background: { startTimer: ports.startTimer ?? startTimer, random: ports.random ?? Math.random },
  });
  const introspection = openIntrospection(server, { metadata, fetch, clock, observer });
  return authorityOf({ server, metadata, keys, introspection }, line);
}

interface Tenancy {
  readonly ports: AuthorityPorts;
  readonly budget: TenantBudget;
  readonly events: TenantEvents;
}

/** It is asked only when a request needs it, in turn with all other tenants, and not again soon after a failure. */
function tenantAuthority(server: AuthorizationServer, { ports, budget, events }: Tenancy): Authority {
  const { clock, observer } = ports;
  const line = openAuthorityFetch(server, ports);
  let standing: Standing = 'new';
  const onAnswered = (): void => {
    standing = 'answered';
    events.onAnswered();
  };
  const inTurn: Fetch = async (url, init) => {
    events.onAsked();
    await budget.turn(standing, init.signal ?? AbortSignal.timeout(server.keys.timeout));
    return line.fetch(url, init);
  };
  const mayAsk = (): boolean => budget.isFree(standing);
  const metadata = new ServerMetadata(server, {
    clock,
    fetch: inTurn,
    mayAsk,
    failureLifetimeMs: server.keys.cooldown,
    onSuccess: onAnswered,
  });
  const keys = new KeySet(server, {
    clock,
    load: () => fetchKeys({ server, metadata, fetch: inTurn }),
    onFetch(report: KeyFetch) {
      if (report.outcome === 'success') onAnswered();
      observer.keysFetched(report);
    },
    mayAsk,
  });
  return authorityOf({ server, metadata, keys }, line);
}

function authorityOf(
  known: Pick<Authority, 'server' | 'metadata' | 'keys' | 'introspection'>,
  line: ReturnType<typeof openAuthorityFetch>,
): Authority {
  return {
    ...known,
    fetch: line.fetch,
    close() {
      known.keys.close();
      line.close();
    },
  };
}
