/** The part of oidc-provider (which brings no types) that the tests' authorization server uses. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export interface Grant {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }

  export interface Interaction {
    readonly prompt: { readonly name: string };
    readonly params: {
      readonly client_id: string;
      readonly scope?: string;
      readonly resource?: string | readonly string[];
    };
    readonly session?: { readonly accountId: string };
    readonly grantId?: string;
  }

  export interface Context {
    readonly path: string;
    query: Record<string, string | readonly string[] | undefined>;
    readonly oidc: { readonly body?: Record<string, unknown> };
  }

  export interface GrantContext {
    readonly oidc: {
      readonly client: { readonly clientId: string };
      readonly params: Readonly<Record<string, string | undefined>>;
    };
    body: Readonly<Record<string, unknown>>;
  }

  export interface IssuedToken {
    resourceServer: unknown;
    readonly expiration: number;
    save(): Promise<string>;
  }

  export const errors: Readonly<
    Record<'InvalidGrant' | 'InvalidRequest', new (description: string) => Error>
  >;

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    readonly Grant: {
      new (of: { readonly accountId: string; readonly clientId: string }): Grant;
      find(id: string): Promise<Grant | undefined>;
    };
    readonly AccessToken: new (of: {
      readonly accountId: string;
      readonly client: unknown;
      readonly gty: string;
      readonly scope: string;
    }) => IssuedToken;
    readonly ResourceServer: new (identifier: string, of: Readonly<Record<string, unknown>>) => unknown;
    registerGrantType(
      name: string,
      answer: (context: GrantContext) => Promise<void>,
      parameters: readonly string[],
    ): void;
    use(middleware: (context: Context, next: () => Promise<void>) => Promise<void>): void;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: Readonly<Record<string, unknown>>,
    ): Promise<void>;
  }
}

declare module 'oidc-provider/lib/adapters/memory_adapter.js' {
  /** A store of its own for each provider; the exported default is shared by all of a process. */
  export function createMemoryAdapter(clockToleranceSeconds: number): (model: string) => unknown;
}
