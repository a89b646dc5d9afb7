import type { LoginClient, OauthSettings, TokenStore } from './configuration.ts';
import type { CheckedConfiguration } from './schema.ts';
import type { NamedFiles } from './sources.ts';

type CheckedCredentials = NonNullable<CheckedConfiguration['routes'][number]['upstream']['credentials']>;
type CheckedOauth = Extract<CheckedCredentials, { readonly oauth: unknown }>['oauth'];

/** The section with the secret that it names. */
export function resolveOauth(checked: CheckedOauth, files: NamedFiles): OauthSettings {
  const { scope, clientId, clientSecret, clientMetadataUrl, scopes, redirectPort, tls } = checked;
  return {
    scope,
    ...(clientId === undefined ? {} : { clientId }),
    ...(clientSecret === undefined ? {} : { clientSecret: files.secretOf(clientSecret) }),
    ...(clientMetadataUrl === undefined ? {} : { clientMetadataUrl }),
    ...(scopes === undefined ? {} : { scopes }),
    redirectPort,
    authorizationServers: checked.authorizationServers,
    allowHosts: checked.allowHosts,
    ...(tls === undefined ? {} : { ca: files.textOf(tls.caFile) }),
  };
}

export function resolveTokenStore(
  checked: NonNullable<CheckedConfiguration['tokenStore']>,
  files: NamedFiles,
): TokenStore {
  const { directory, key, previous } = checked;
  return {
    ...(directory === undefined ? {} : { directory: files.locate(directory) }),
    key: files.secretOf(key),
    previous: previous.map((name) => files.secretOf(name)),
  };
}

export function resolveLogin(
  checked: CheckedConfiguration['login'],
  files: NamedFiles,
): readonly LoginClient[] {
  return (checked ?? []).map(({ clientSecret, ...client }) => ({
    ...client,
    ...(clientSecret === undefined ? {} : { clientSecret: files.secretOf(clientSecret) }),
  }));
}
