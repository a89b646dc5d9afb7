import { readClientKey } from './client-key.ts';
import type { ClientAuthentication, IntrospectionSettings } from './configuration.ts';
import type { CheckedConfiguration } from './schema.ts';
import type { NamedFiles } from './sources.ts';

type Checked = NonNullable<CheckedConfiguration['authorizationServers'][number]['introspection']>;

/** The section with the secrets that it names. */
export function resolveIntrospection(checked: Checked, files: NamedFiles): IntrospectionSettings {
  const { endpoint, clientId, cache } = checked;
  return {
    for: checked.for,
    ...(endpoint === undefined ? {} : { endpoint }),
    clientId,
    authentication: authenticationOf(checked, files),
    cache,
  };
}

function authenticationOf(checked: Checked, files: NamedFiles): ClientAuthentication {
  const { auth, clientSecret, privateKey, algorithm, keyId } = checked;
  if (auth !== 'private_key_jwt') {
    if (clientSecret === undefined) throw new Error(`${auth} without clientSecret passed the checks`);
    return { method: auth, clientSecret: files.secretOf(clientSecret) };
  }
  const key = privateKey === undefined ? undefined : readClientKey(files.secretOf(privateKey));
  if (key === undefined) throw new Error('private_key_jwt without a private key passed the checks');
  return {
    method: auth,
    privateKey: key.pem,
    algorithm: algorithm ?? key.algorithm,
    keyId: keyId ?? key.keyId,
  };
}
