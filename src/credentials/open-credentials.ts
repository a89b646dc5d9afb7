import type { Configuration } from '../config/configuration.ts';
import type { State } from '../state/state.ts';
import type { CredentialProviders, ProviderParts } from './providers.ts';
import { openProviders } from './providers.ts';
import { LoginLinks } from './user-login/login-links.ts';
import { LoginSeal } from './user-login/login-seal.ts';
import type { UserLoginParts } from './user-login/user-logins.ts';
import { UserLogins } from './user-login/user-logins.ts';

export interface CredentialsParts
  extends Omit<ProviderParts, 'records' | 'loginUrl'>, Pick<UserLoginParts, 'authorities'> {
  readonly state: Pick<State, 'recordsIn' | 'replays'>;
  readonly sessions: Configuration['sessions'] & { readonly key: string };
}

/** What upstreams are shown, and how users log in at them. */
export interface OpenCredentials extends CredentialProviders {
  /** Undefined where the configuration has no `login`: then nobody is sent a link, and there is no page. */
  readonly userLogins: UserLogins | undefined;
}

/** Throws where the configuration names a provider that isn't injected. */
export function openCredentials(
  configuration: Configuration,
  { state, sessions, ...parts }: CredentialsParts,
): OpenCredentials {
  const { tokenStore } = configuration;
  const { clock } = parts;
  const records = tokenStore === undefined ? undefined : state.recordsIn(tokenStore);
  if (configuration.login.length === 0 || records === undefined)
    return { ...openProviders(configuration, { ...parts, records }), userLogins: undefined };
  const seal = new LoginSeal(sessions, clock);
  const links = new LoginLinks(configuration, seal, clock);
  const userLogins = new UserLogins({ ...parts, configuration, records, replays: state.replays, seal });
  const loginUrl = links.urlFor.bind(links);
  const providers = openProviders(configuration, { ...parts, records, loginUrl });
  return {
    of: providers.of,
    userLogins,
    async close() {
      userLogins.close();
      await providers.close();
    },
  };
}
