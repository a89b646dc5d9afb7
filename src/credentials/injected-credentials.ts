import type { Route } from '../config/configuration.ts';
import type { CredentialProvider, CredentialsAnswer, CredentialsAsked } from '../vocabulary/credentials.ts';
import type {
  Refusal,
  UpstreamCredentialsReason,
  UpstreamCredentialsUnavailableReason,
} from '../vocabulary/refusal.ts';

/**
 * A provider of the embedding program, whose answers are looked at as the configuration is at the start: a header
 * that would break the request, or say who asks, and a refusal that nobody could be told are defects of that program.
 */
export function injectedCredentials(
  name: string,
  provider: CredentialProvider,
  { identity }: Route,
): CredentialProvider {
  const taken = new Set(
    [...Object.values(identity.headers), ...identity.claims.map(({ header }) => header)].map(plain),
  );
  const checked = (answer: CredentialsAnswer): CredentialsAnswer => {
    const fault = answer.ok ? faultOf(answer.headers, taken) : faultOfRefusal(answer.refusal);
    if (fault !== undefined) throw new Error(`the credential provider ${name} ${fault}`);
    return answer;
  };
  const check = (answer: CredentialsAnswer | Promise<CredentialsAnswer>): typeof answer =>
    answer instanceof Promise ? answer.then(checked) : checked(answer);
  const recover = provider.recover?.bind(provider);
  return {
    credentialsFor: (asked) => check(provider.credentialsFor(asked)),
    ...(recover === undefined
      ? {}
      : {
          recover: async (asked: CredentialsAsked, refused: readonly string[]) =>
            checked(await recover(asked, refused)),
        }),
  };
}

/** Framing, what MCP and the forwarder write, and what tells of the way of a request. */
const ownedByOthers =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|http2-settings|host|content-.*|accept.*|expect|date|via|mcp-.*|last-event-id|user-agent|set-cookie|dpop|www-authenticate|forwarded|x-forwarded-.*|x-real-ip|traceparent|tracestate)$/;

/** Undefined where all may go; without a value, which is a secret. */
function faultOf(headers: readonly string[], taken: ReadonlySet<string>): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? '';
    const value = headers[index + 1];
    if (!/^[A-Za-z0-9_-]{1,100}$/.test(name))
      return 'names a header in other characters than letters, digits, - and _';
    if (ownedByOthers.test(plain(name)) || taken.has(plain(name)))
      return `names the header ${name}, which credentials can't travel in`;
    if (typeof value !== 'string' || !/^[!-~](?:[ -~]*[!-~])?$/.test(value))
      return `gives the header ${name} a value that no header can have`;
  }
  return undefined;
}

/** No type checker need have seen the program: what stands in a refusal becomes a status, a header and a label of metrics. */
function faultOfRefusal(refusal: Refusal | undefined): string | undefined {
  if (
    refusal?.kind !== 'upstream-credentials-missing' &&
    refusal?.kind !== 'upstream-credentials-unavailable'
  )
    return 'refuses with another kind than upstream-credentials-missing and upstream-credentials-unavailable';
  if (!Object.hasOwn(reasons[refusal.kind], refusal.reason))
    return `refuses with a reason that ${refusal.kind} doesn't have`;
  if (refusal.detail !== undefined && typeof refusal.detail !== 'string')
    return 'refuses with a detail that is no text';
  return refusal.kind === 'upstream-credentials-missing' || isDelay(refusal.retryAfterSeconds)
    ? undefined
    : 'refuses with retryAfterSeconds that are no whole number from 0 on';
}

/** RFC 9110 §10.2.3. */
function isDelay(seconds: unknown): boolean {
  return Number.isSafeInteger(seconds) && Number(seconds) >= 0;
}

const reasons = {
  'upstream-credentials-missing': {
    upstream_credentials_missing: true,
    upstream_credentials_invalid: true,
    upstream_credentials_refused: true,
  } satisfies Record<UpstreamCredentialsReason, true>,
  'upstream-credentials-unavailable': {
    upstream_credentials_unavailable: true,
    exchange_failed: true,
    exchange_refused: true,
    exchange_busy: true,
    credentials_renewed: true,
    token_refresh_failed: true,
    token_store_unavailable: true,
  } satisfies Record<UpstreamCredentialsUnavailableReason, true>,
} as const;

/** CGI and its heirs read `X_Api_Key` as `X-Api-Key`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[_.]/g, '-');
}
