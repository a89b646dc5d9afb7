import type { AuthorizationServer, Route, Upstream, UpstreamCredentials } from './configuration.ts';
import { compileValuePattern } from './fields/value-pattern.ts';
import { resolveOauth } from './resolve-oauth.ts';
import type { CheckedConfiguration } from './schema.ts';
import type { NamedFiles } from './sources.ts';

type Checked = CheckedConfiguration['routes'][number]['upstream'];

/** RFC 6265 §4.1.1 cookie-octet: what separates values or parameters in any header can't be in it. */
const oneWord = /^[!#-+\--:<-[\]-~]+$/;

/** What the upstream is shown: configured credentials take the place of the client's token. */
export function resolveCredentials(
  { resource, token, credentials }: Checked,
  servers: readonly AuthorizationServer[],
  files: NamedFiles,
): Pick<Upstream, 'resource' | 'token' | 'credentials'> {
  return {
    ...(resource === undefined ? {} : { resource }),
    token: credentials === undefined ? token : 'strip',
    ...(credentials === undefined ? {} : { credentials: credentialsOf(credentials, servers, files) }),
  };
}

function credentialsOf(
  checked: NonNullable<Checked['credentials']>,
  servers: readonly AuthorizationServer[],
  files: NamedFiles,
): UpstreamCredentials {
  if ('static' in checked) {
    const { header, value, scheme } = checked.static;
    return { kind: 'static', header, value: withScheme(scheme, files.secretOf(value)) };
  }
  if ('headers' in checked)
    return {
      kind: 'headers',
      headers: checked.headers.map(({ from, to, pattern, scheme }) => ({
        from: from.toLowerCase(),
        to,
        pattern: pattern === undefined ? oneWord : compileValuePattern(pattern),
        ...(scheme === undefined ? {} : { scheme }),
      })),
    };
  if ('tokenExchange' in checked) {
    const { authorizationServer: name, clientId, clientSecret, audience, scope } = checked.tokenExchange;
    const authorizationServer = servers.find((server) => server.name === name);
    if (authorizationServer === undefined) throw new Error(`${name} passed the checks and isn't there`);
    return {
      kind: 'tokenExchange',
      authorizationServer,
      clientId,
      clientSecret: files.secretOf(clientSecret),
      audience,
      ...(scope === undefined ? {} : { scope }),
    };
  }
  if ('provider' in checked) return { kind: 'provider', name: checked.provider };
  return { kind: 'oauth', ...resolveOauth(checked.oauth, files) };
}

function withScheme(scheme: string | undefined, value: string): string {
  return scheme === undefined ? value : `${scheme} ${value}`;
}

/** Servers that are asked for tokens, whether or not a route takes tokens of theirs. */
export function exchangingServers(routes: readonly Route[]): readonly AuthorizationServer[] {
  return routes.flatMap(({ upstream: { credentials } }) =>
    credentials?.kind === 'tokenExchange' ? [credentials.authorizationServer] : [],
  );
}
