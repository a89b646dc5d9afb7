/** What the challenge of an upstream says to a client without a token (RFC 9728 §5.1, RFC 6750 §3). */
export interface UpstreamChallenge {
  readonly resourceMetadata: string | undefined;
  readonly scopes: readonly string[] | undefined;
}

/** Real challenges are some hundred characters. */
const longestChallenge = 8192;

/** RFC 9110 §11.2: `token = token` or `token = quoted-string`. */
const parameter = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

/** The first value of each parameter, whichever scheme it belongs to. It proves nothing about what they lead to. */
export function readChallenge(header: string | null): UpstreamChallenge {
  const values = new Map<string, string>();
  for (const [, name = '', quoted, plain = ''] of (header ?? '')
    .slice(0, longestChallenge)
    .matchAll(parameter)) {
    const key = name.toLowerCase();
    if (!values.has(key)) values.set(key, quoted?.replaceAll(/\\(.)/g, '$1') ?? plain);
  }
  const scope = values.get('scope');
  return {
    resourceMetadata: values.get('resource_metadata'),
    scopes: scope === undefined ? undefined : cleanScopes(scope.split(' ')),
  };
}

/** RFC 6749 §3.3; what doesn't fit can't be asked for. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;

export function cleanScopes(listed: readonly unknown[]): readonly string[] {
  const clean = listed.filter(
    (scope): scope is string => typeof scope === 'string' && scopeToken.test(scope),
  );
  return [...new Set(clean)].slice(0, 200);
}
