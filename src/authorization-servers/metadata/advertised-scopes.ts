import type { Route } from '../../config/configuration.ts';
import type { Authorities } from '../authority.ts';
import { WaitingRoom } from '../waiting-room.ts';
import type { Metadata, ServerMetadata } from './metadata.ts';

/** RFC 6749 §3.3. What doesn't fit could end a quoted value, a header line, or the list. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** More than any resource has; a hostile or broken server could list as much as a document holds. */
const maximumScopes = 200;
const maximumScopeLength = 200;

/**
 * The clean part of `scopes_supported` (RFC 8414 §2): scopes of RFC 6749, each once, in the server's order.
 * `offline_access` is no scope of a resource: a client that wants it asks by itself.
 */
export function advertisedScopes({ members }: Metadata): readonly string[] {
  const listed: unknown = members['scopes_supported'];
  if (!Array.isArray(listed)) return [];
  const clean = listed.filter(
    (scope): scope is string =>
      typeof scope === 'string' &&
      scope.length <= maximumScopeLength &&
      scopeToken.test(scope) &&
      scope !== 'offline_access',
  );
  return [...new Set(clean)].slice(0, maximumScopes);
}

/** The scopes that several authorization servers advertise, in the order of the servers, each scope once. */
export class LiveScopes {
  readonly #servers: readonly Pick<ServerMetadata, 'get'>[];
  #documents: readonly (Metadata | undefined)[] = [];
  #scopes: readonly string[] = [];
  #isAsking = false;
  readonly #room = new WaitingRoom();

  /** How often a server is asked, and how long that may take, is bounded by its metadata. */
  constructor(servers: readonly Pick<ServerMetadata, 'get'>[]) {
    this.#servers = servers;
  }

  /** As fresh as the metadata is; of a server that can't be asked, or that too many wait for, what it said last. Never rejects. */
  async get(): Promise<readonly string[]> {
    if (this.#room.isFull) return this.#scopes;
    const answers = await this.#room.hold(Promise.all(this.#servers.map((server) => server.get())));
    const documents = answers.map((answer) => (answer.ok ? answer.metadata : undefined));
    if (documents.some((document, index) => document !== this.#documents[index])) {
      this.#documents = documents;
      const all = documents.flatMap((document) => (document === undefined ? [] : advertisedScopes(document)));
      this.#scopes = [...new Set(all)].slice(0, maximumScopes);
    }
    return this.#scopes;
  }

  /** What was known last, without waiting; asks meanwhile, so that the next look is fresh. The same list until it changes. */
  glance(): readonly string[] {
    if (!this.#isAsking) {
      this.#isAsking = true;
      void this.get().then(() => (this.#isAsking = false));
    }
    return this.#scopes;
  }
}

/**
 * One list for each row of servers, so that what one route learnt another one knows, such as the routes of tenants.
 * Only for servers of the configuration: what it holds is bounded by that.
 */
export function liveScopesBy(authorities: Authorities): (route: Route) => LiveScopes {
  const known = new Map<string, LiveScopes>();
  return ({ authorizationServers }) => {
    // Fixed tenants of several routes have issuers of their own under one server's name.
    const row = authorizationServers.map(({ name, issuers }) => `${name} ${issuers.join(' ')}`).join('\n');
    const metadata = authorizationServers.map((server) => authorities.of(server).metadata);
    const scopes = known.get(row) ?? new LiveScopes(metadata);
    known.set(row, scopes);
    return scopes;
  };
}
