import { Agent, fetch as undiciFetch } from 'undici';

import type { AuthorizationServer } from '../config/configuration.ts';
import type { Fetch } from '../vocabulary/ports.ts';

/** The fetch for one authorization server: the given one, or one that trusts the server's own authorities alone. */
export function fetchFor(server: AuthorizationServer, fetch: Fetch): Fetch {
  if (server.ca === undefined) return fetch;
  const dispatcher = new Agent({ connect: { ca: server.ca } });
  return (url, init) =>
    undiciFetch(url, { ...init, dispatcher } as Parameters<
      typeof undiciFetch
    >[1]) as unknown as Promise<Response>;
}
