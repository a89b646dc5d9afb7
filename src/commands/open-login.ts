import { setTimeout as sleep } from 'node:timers/promises';

import type { Configuration } from '../config/configuration.ts';
import { openConfiguredFetch } from '../credentials/oauth/configured-fetch.ts';
import type { LoginParts } from '../credentials/oauth/login.ts';
import { createState } from '../state/state.ts';
import { silentObserver } from '../vocabulary/observer.ts';
import type { Fetch } from '../vocabulary/ports.ts';
import type { LoginRoute } from './upstream-route.ts';

export interface LoginPorts {
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Instead of the network. */
  readonly fetch?: Fetch;
  /** How long a person may take. */
  readonly limitMs: number;
}

export interface OpenLogin {
  readonly parts: LoginParts;
  close(): void;
}

const connectWithinMs = 3000;

/** What a login and a logout work with: the store of the configuration, and the way to its servers. */
export async function openLogin(
  configuration: Configuration,
  { route, settings }: LoginRoute,
  { clock, fetch }: Omit<LoginPorts, 'limitMs'>,
): Promise<OpenLogin> {
  const { tokenStore } = configuration;
  if (tokenStore === undefined) throw new Error('a login without a token store passed the checks');
  const state = createState(configuration, { clock, observer: silentObserver, report: () => {} });
  await state.open();
  const deadline = Date.now() + connectWithinMs;
  // What can't be reached until then is told by the first question.
  while (state.isConnected() === false && Date.now() < deadline) await sleep(20);
  const reach = openConfiguredFetch(route.upstream, settings, { fetch });
  return {
    parts: { settings, store: state.recordsIn(tokenStore), fetch: reach.fetch, clock },
    close() {
      reach.close();
      state.close();
    },
  };
}
