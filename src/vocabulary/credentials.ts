import type { Route } from '../config/configuration.ts';
import type { Principal } from './principal.ts';
import type { Refusal } from './refusal.ts';

/** For whom and for which route credentials are wanted. The request has been admitted. */
export interface CredentialsAsked {
  readonly principal: Principal | null;
  readonly route: Route;
  /** The client's own token, for providers that pass it on or exchange it; undefined without one. Never to be logged. */
  readonly clientToken: string | undefined;
  /** One value for a header of the client, undefined if absent; name in lower case. */
  readonly header: (name: string) => string | undefined;
}

export type CredentialsAnswer =
  | { readonly ok: true; /** name, value, name, value … */ readonly headers: readonly string[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** Where the credentials come from that an upstream wants to be shown; built in or injected, all are equal. */
export interface CredentialProvider {
  /** One call per request. May answer at once. Never rejects for what a client or a server did. */
  credentialsFor(asked: CredentialsAsked): CredentialsAnswer | Promise<CredentialsAnswer>;
  /** The upstream answered 401 to these headers: others to try once, or why there are none. */
  recover?(asked: CredentialsAsked, refused: readonly string[]): Promise<CredentialsAnswer>;
  close?(): Promise<void>;
}
