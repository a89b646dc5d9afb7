import {
  distinctServerNames,
  issuerCheckNeedsOneServer,
  keysWithoutDiscovery,
  knownServers,
  plainHttpNeedsConsent,
  protectedRoutesHaveServers,
} from './authorization-servers.ts';
import {
  distinctIdentityHeaders,
  usableIdentityHeaders,
  usableRequestHeaders,
  usableResponseHeaders,
} from './headers.ts';
import { distinctPorts } from './listeners.ts';
import { distinctMetadata, distinctPaths, distinctRouteNames, oneDefault } from './route-paths.ts';
import type { Rule } from './rule.ts';
import { certificateWithKey, openRoutesAskForNothing, tlsNeedsHttps } from './without-effect.ts';

/** What no key can say by itself. */
export const rules: readonly Rule[] = [
  distinctPorts,
  distinctServerNames,
  plainHttpNeedsConsent,
  keysWithoutDiscovery,
  protectedRoutesHaveServers,
  knownServers,
  issuerCheckNeedsOneServer,
  distinctPaths,
  distinctRouteNames,
  oneDefault,
  distinctMetadata,
  openRoutesAskForNothing,
  distinctIdentityHeaders,
  usableIdentityHeaders,
  usableRequestHeaders,
  usableResponseHeaders,
  tlsNeedsHttps,
  certificateWithKey,
];
