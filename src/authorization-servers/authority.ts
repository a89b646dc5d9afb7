import { isDeepStrictEqual } from 'node:util';

import type { AuthorizationServer, Configuration } from '../config/configuration.ts';
import type { SharedAnswers } from '../state/shared-answers.ts';
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
  /** Where gateways tell each other what servers said of tokens; absent: nowhere. */
  readonly answers?: SharedAnswers | undefined;
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
  /** What all tenants were made of. */
  readonly #forms: readonly AuthorizationServer[];
  readonly #unasked: readonly Authority[];

  /**
   * Nothing is fetched yet. Of servers that were configured `before` in the very same words it goes on with what is known
   * and remembered, connections and timers included.
   */
  constructor({ authorizationServers }: Configuration, ports: AuthorityPorts, before?: Authorities) {
    const known = before?.configured ?? [];
    this.#configured = new Map(
      authorizationServers
        .filter(({ tenant }) => tenant === undefined)
        .map((server) => [
          server,
          known.find((authority) => isDeepStrictEqual(authority.server, server)) ??
            configuredAuthority(server, ports),
        ]),
    );
    this.#unasked = this.configured.filter((authority) => !known.includes(authority));
    this.#forms = authorizationServers.filter(({ tenant }) => tenant !== undefined);
    this.#tenants =
      before !== undefined && isDeepStrictEqual(before.#forms, this.#forms)
        ? before.#tenants
        : tenantAuthorities(ports);
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

  /**
   * Asks each configured server once that isn't known from before; ends when the last answered or its time-out passed.
   * Never rejects.
   */
  async askNew(): Promise<void> {
    await Promise.all(this.#unasked.map(({ keys }) => keys.ask()));
  }

  /** Ends what the others don't go on with. */
  closeExceptThoseOf(others: Authorities): void {
    const kept = new Set(others.configured);
    for (const authority of this.configured) if (!kept.has(authority)) authority.close();
    if (this.#tenants !== others.#tenants) this.#tenants.close();
  }

  /** Ends all timers and connections. */
  close(): void {
    for (const authority of this.configured) authority.close();
    this.#tenants.close();
  }
}

function tenantAuthorities(ports: AuthorityPorts): TenantAuthorities {
  const budget = new TenantBudget(ports.clock);
  return new TenantAuthorities((server, events) => tenantAuthority(server, { ports, budget, events }));
}

function configuredAuthority(server: AuthorizationServer, ports: AuthorityPorts): Authority {
  const { clock, observer, answers: shared } = ports;
  const line = openAuthorityFetch(server, ports);
  const { fetch } = line;
  const metadata = new ServerMetadata(server, { clock, fetch });
  const keys = new KeySet(server, {
    clock,
    load: () => fetchKeys({ server, metadata, fetch }),
    onFetch: observer.keysFetched,
    background: { startTimer: ports.startTimer ?? startTimer, random: ports.random ?? Math.random },
  });
  const introspection = openIntrospection(server, { metadata, fetch, clock, observer, shared });
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
