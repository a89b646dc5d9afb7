import { LRUCache } from 'lru-cache';

import type { AuthorizationServer } from '../../config/configuration.ts';
import type { Authority } from '../authority.ts';

/** What becomes of the authority of a tenant. */
export interface TenantEvents {
  readonly onAsked: () => void;
  readonly onAnswered: () => void;
}

export type CreateAuthority = (server: AuthorizationServer, events: TenantEvents) => Authority;

/**
 * Tenants that answered. A key set is a few KiB; whoever has more tenants at work at once pays with a fetch
 * when one comes back.
 */
const maximumAnswered = 1000;
/** Tenants that were asked and have not answered: so that they aren't asked again within the cool-down. */
const maximumAsked = 1000;
/** Tenants that were named only. */
const maximumNamed = 100;

/**
 * The authorities of tenants, made when they are named. Anyone may name tenants that don't exist, so those have
 * rooms of their own: they push out each other, never a tenant whose authorization server has answered.
 */
export class TenantAuthorities {
  readonly #create: CreateAuthority;
  readonly #answered = new LRUCache<string, Authority>({
    max: maximumAnswered,
    dispose: (authority) => authority.close(),
  });
  readonly #asked = new LRUCache<string, Authority>({ max: maximumAsked });
  readonly #named = new LRUCache<string, Authority>({ max: maximumNamed });

  constructor(create: CreateAuthority) {
    this.#create = create;
  }

  of(server: AuthorizationServer): Authority {
    const id = identityOf(server);
    return this.#answered.get(id) ?? this.#asked.get(id) ?? this.#named.get(id) ?? this.#name(id, server);
  }

  /** Authorities in memory, for whoever wants to see that they are bounded. */
  get size(): number {
    return this.#answered.size + this.#asked.size + this.#named.size;
  }

  close(): void {
    for (const room of [this.#answered, this.#asked, this.#named]) {
      for (const authority of room.values()) authority.close();
      room.clear();
    }
  }

  #name(id: string, server: AuthorizationServer): Authority {
    const authority = this.#create(server, {
      onAsked: () => this.#move(id, authority, this.#asked),
      onAnswered: () => this.#move(id, authority, this.#answered),
    });
    this.#named.set(id, authority);
    return authority;
  }

  /** One that was pushed out meanwhile comes back, unless another took its place. */
  #move(id: string, authority: Authority, room: LRUCache<string, Authority>): void {
    if (this.#answered.has(id)) return;
    const other = this.#asked.get(id) ?? this.#named.get(id);
    if (other !== undefined && other !== authority) return;
    this.#named.delete(id);
    this.#asked.delete(id);
    room.set(id, authority);
  }
}

/** What two objects for the same tenant of the same server have in common; whoever makes them may forget and make them again. */
function identityOf({ name, tenant, issuers, jwksUri = '' }: AuthorizationServer): string {
  return `${name}\n${tenant}\n${issuers.join(' ')}\n${jwksUri}`;
}
