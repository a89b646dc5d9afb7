import {
  distinctServerNames,
  issuerCheckNeedsOneServer,
  keysWithoutDiscovery,
  plainHttpNeedsConsent,
  protectedRoutesHaveServers,
} from './authorization-servers.ts';
import { assertionsNeedPrincipals, keysNeedAssertions } from './assertions.ts';
import {
  credentialHeadersAreNotPassed,
  exchangeHasAServer,
  exchangeHasATokenToExchange,
  usableCredentialHeaders,
  usableInboundHeaders,
} from './credentials.ts';
import {
  distinctIdentityHeaders,
  usableIdentityHeaders,
  usableRequestHeaders,
  usableResponseHeaders,
} from './headers.ts';
import { anonymousNeedsOpenRoutes, subjectNeedsTokens } from './identity.ts';
import { clientProvesItself, introspectionWithoutDiscovery } from './introspection.ts';
import { oktaOrganisationIssuer } from './internal-tokens.ts';
import { openRoutesHaveNoPrincipals, refusalsNeedProtectedRoutes } from './limits.ts';
import { distinctPorts } from './listeners.ts';
import { knownMirror, knownServers } from './named-server.ts';
import { liveScopesNeedMetadata } from './server-metadata.ts';
import { passthroughIsMeant } from './passthrough.ts';
import { distinctMetadata, distinctPaths, distinctRouteNames, oneDefault } from './route-paths.ts';
import {
  distinctRuleNames,
  hideNeedsRules,
  methodsHaveATarget,
  openRulesNeedNoScopes,
  optionalRoutesHaveRules,
  targetsHaveAMethod,
} from './policy.ts';
import type { Rule } from './rule.ts';
import { distinctFromTenants, metadataDistinctFromTenants } from './tenant-paths.ts';
import { stateCertificateWithKey } from './state.ts';
import {
  tenantIssuerHolds,
  tenantIssuerNeedsOneServer,
  tenantScopesAreWritten,
  tenantsAreToldApart,
} from './tenant-servers.ts';
import { fixedTenantFits, tenantHeaderNeedsTenants, tenantsDiffer, tenantsHaveAPlace } from './tenants.ts';
import { legacyKeysNeedLegacy, legacyNeedsAWordOnProcesses } from './transports.ts';
import {
  loginsNeedATokenStore,
  oneClientOfALogin,
  tokenStoreNeedsAPlace,
  userLoginsNeedUsers,
} from './upstream-logins.ts';
import { loginsAreForUsers, loginsAreOfOneIssuer, loginsHaveServers } from './user-logins.ts';
import { certificateWithKey, openRoutesAskForNothing, tlsNeedsHttps } from './without-effect.ts';

/** What no key can say by itself. */
export const rules: readonly Rule[] = [
  distinctPorts,
  distinctServerNames,
  plainHttpNeedsConsent,
  keysWithoutDiscovery,
  clientProvesItself,
  introspectionWithoutDiscovery,
  oktaOrganisationIssuer,
  protectedRoutesHaveServers,
  knownServers,
  issuerCheckNeedsOneServer,
  knownMirror,
  liveScopesNeedMetadata,
  distinctPaths,
  distinctRouteNames,
  oneDefault,
  distinctMetadata,
  tenantsHaveAPlace,
  fixedTenantFits,
  tenantsDiffer,
  tenantHeaderNeedsTenants,
  distinctFromTenants,
  metadataDistinctFromTenants,
  tenantIssuerNeedsOneServer,
  tenantIssuerHolds,
  tenantScopesAreWritten,
  tenantsAreToldApart,
  openRoutesAskForNothing,
  openRoutesHaveNoPrincipals,
  refusalsNeedProtectedRoutes,
  distinctRuleNames,
  targetsHaveAMethod,
  methodsHaveATarget,
  openRulesNeedNoScopes,
  optionalRoutesHaveRules,
  hideNeedsRules,
  anonymousNeedsOpenRoutes,
  subjectNeedsTokens,
  assertionsNeedPrincipals,
  keysNeedAssertions,
  distinctIdentityHeaders,
  usableIdentityHeaders,
  usableRequestHeaders,
  usableResponseHeaders,
  usableCredentialHeaders,
  credentialHeadersAreNotPassed,
  usableInboundHeaders,
  exchangeHasAServer,
  exchangeHasATokenToExchange,
  passthroughIsMeant,
  tlsNeedsHttps,
  certificateWithKey,
  stateCertificateWithKey,
  legacyNeedsAWordOnProcesses,
  legacyKeysNeedLegacy,
  loginsNeedATokenStore,
  tokenStoreNeedsAPlace,
  userLoginsNeedUsers,
  oneClientOfALogin,
  loginsHaveServers,
  loginsAreForUsers,
  loginsAreOfOneIssuer,
];
