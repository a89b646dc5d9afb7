import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import type { Configuration, TokenStore } from '../config/configuration.ts';
import { KeptLogins } from '../credentials/oauth/kept-logins.ts';
import { makeSigningKey } from '../identity/signing-keys.ts';
import { requestIds } from '../listener/public-app.ts';
import { RouteCounts } from './route-counts.ts';
import type { GivenState } from '../state/given-state.ts';
import { withGiven } from '../state/given-state.ts';
import { createState } from '../state/state.ts';
import type { State } from '../state/state.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { RememberedSignatures } from '../token/remembered-signatures.ts';
import type { CredentialProvider } from '../vocabulary/credentials.ts';
import type { Ports } from '../vocabulary/ports.ts';

/** Parts of an embedding program that the gateway uses as its own, and closes at its end. */
export interface Injected {
  /** By the names that `upstream.credentials.provider` has. */
  readonly credentials?: Readonly<Record<string, CredentialProvider>>;
  readonly state?: GivenState;
}

/** What outlives every configuration, so that a reload forgets nothing: no count, no used proof, no signature, no session. */
export interface Foundation {
  readonly ports: Ports;
  readonly injected: Injected;
  readonly telemetry: Telemetry;
  readonly state: State;
  readonly remembered: RememberedSignatures;
  readonly counts: RouteCounts;
  /** What is known of the logins in a store: one that couldn't be saved is nowhere else, and its forerunner is spent. */
  readonly loginsIn: (tokenStore: TokenStore | undefined) => KeptLogins | undefined;
  /** Seals sessions where the configuration has no key; it lives and dies with the process. */
  readonly processKey: string;
  /** Signs who asks, in the same manner. */
  readonly processSigningKey: string;
  readonly nextRequestId: () => string;
}

/** Opens nothing yet. */
export function layFoundation(
  configuration: Configuration,
  ports: Ports,
  injected: Injected = {},
): Foundation {
  const telemetry = createTelemetry(configuration, ports);
  const { clock } = ports;
  const { observer } = telemetry;
  const state = withGiven(
    createState(configuration, { clock, observer, report: telemetry.reportRedis }),
    injected.state ?? {},
  );
  return {
    ports,
    injected,
    telemetry,
    state,
    remembered: new RememberedSignatures(),
    counts: new RouteCounts(),
    loginsIn: keptLoginsOfOneStore(state, clock),
    processKey: randomBytes(32).toString('base64url'),
    processSigningKey: makeSigningKey(),
    nextRequestId: requestIds(),
  };
}

/** Of the store that was asked about last, as long as its settings stay the same. */
function keptLoginsOfOneStore({ recordsIn }: State, clock: () => number): Foundation['loginsIn'] {
  let known: { readonly tokenStore: TokenStore; readonly logins: KeptLogins } | undefined;
  return (tokenStore) => {
    if (tokenStore === undefined) return undefined;
    if (known === undefined || !isDeepStrictEqual(known.tokenStore, tokenStore))
      known = { tokenStore, logins: new KeptLogins(recordsIn(tokenStore), clock) };
    return known.logins;
  };
}
