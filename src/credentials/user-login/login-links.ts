import { randomUUID } from 'node:crypto';

import type { AuthorizationServer, Configuration, LoginClient, Route } from '../../config/configuration.ts';
import { claimAt } from '../../vocabulary/claim.ts';
import type { Principal } from '../../vocabulary/principal.ts';
import type { LoginSeal } from './login-seal.ts';

/** Below the one path of the gateway that is its own on every origin. */
export const loginPath = '/.well-known/portcullis/login';

/** Enough to find the browser; a client that asks again gets another one. */
const linkLifetimeMs = 600_000;

/** Where a person shows who they are. */
export interface Prover {
  readonly server: AuthorizationServer;
  readonly client: LoginClient;
}

/** Who can prove that a person of this issuer sits behind a browser; undefined where `login` names no one. */
export function proverOf(
  { login }: Pick<Configuration, 'login'>,
  { authorizationServers }: Pick<Route, 'authorizationServers'>,
  issuer: string,
): Prover | undefined {
  const server = authorizationServers.find(({ issuers }) => issuers.includes(issuer));
  // A tenant's server is one that a path named: the client's secret isn't for it.
  if (server === undefined || server.tenant !== undefined) return undefined;
  const client = login.find(({ authorizationServer }) => authorizationServer === server.name);
  return client === undefined ? undefined : { server, client };
}

/** Links by which users log in themselves. A link proves nothing of who opens it; it only says who it has to be. */
export class LoginLinks {
  readonly #configuration: Pick<Configuration, 'login' | 'publicUrl'>;
  readonly #seal: LoginSeal;
  readonly #clock: () => number;

  /** `clock` in milliseconds since the epoch. */
  constructor(
    configuration: Pick<Configuration, 'login' | 'publicUrl'>,
    seal: LoginSeal,
    clock: () => number,
  ) {
    this.#configuration = configuration;
    this.#seal = seal;
    this.#clock = clock;
  }

  /** Undefined where only an operator can log this user in. */
  urlFor(route: Route, principal: Principal): string | undefined {
    const { issuer, subject, claims } = principal;
    const prover = proverOf(this.#configuration, route, issuer);
    if (prover === undefined) return undefined;
    const proof = claimAt(claims, prover.client.accessTokenClaim);
    if (typeof proof !== 'string' || proof === '') return undefined;
    const ticket = this.#seal.close('link', {
      id: randomUUID(),
      route: route.name,
      ...(route.tenant === undefined ? {} : { tenant: route.tenant.name }),
      upstream: route.upstream.url,
      person: { issuer, subject },
      proof,
      endsAtMs: this.#clock() + linkLifetimeMs,
    });
    return `${new URL(this.#configuration.publicUrl).origin}${loginPath}?ticket=${ticket}`;
  }
}
