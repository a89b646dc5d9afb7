import type { TokenExchange } from '../../config/configuration.ts';
import type {
  CredentialProvider,
  CredentialsAnswer,
  CredentialsAsked,
} from '../../vocabulary/credentials.ts';
import type { Principal } from '../../vocabulary/principal.ts';
import type { Refusal } from '../../vocabulary/refusal.ts';
import type { ExchangedToken, ExchangePorts, NotExchanged } from './exchanged-tokens.ts';
import { ExchangedTokens } from './exchanged-tokens.ts';

export interface ExchangeParts extends ExchangePorts {
  readonly settings: TokenExchange;
}

/**
 * The client's token, exchanged for one whose audience is the upstream (RFC 8693). Who has none, or gets none, isn't
 * let through: the client's own token never goes in its place.
 */
export function exchangedCredentials({ settings, ...ports }: ExchangeParts): CredentialProvider {
  const tokens = new ExchangedTokens(ports);
  const serverName = settings.authorizationServer.name;
  const told = (answer: ExchangedToken | NotExchanged): CredentialsAnswer =>
    answer.ok ? answer : { ok: false, refusal: refusalFor(answer, serverName) };
  const exchange = ({
    principal,
    clientToken,
  }: CredentialsAsked): CredentialsAnswer | Promise<CredentialsAnswer> => {
    if (principal === null || clientToken === undefined) return nothingToExchange;
    const answer = tokens.get(keyOf(principal), clientToken);
    return answer instanceof Promise ? answer.then(told) : told(answer);
  };
  return {
    credentialsFor: exchange,
    async recover(asked, refused) {
      if (asked.principal === null) return nothingToExchange;
      return tokens.dropRefused(keyOf(asked.principal), refused) === 'new' ? refusedAnew : exchange(asked);
    },
  };
}

/**
 * Whom a token speaks for. With the scopes of the token that it was exchanged for: another of the same user that may
 * do less must not be given what this one was.
 */
function keyOf({ issuer, subject, clientId, scopes }: Principal): string {
  // Only the last can have a line feed in it.
  return `${issuer}\n${subject}\n${scopes.join(' ')}\n${clientId === undefined ? '' : `=${clientId}`}`;
}

const nothingToExchange: CredentialsAnswer = {
  ok: false,
  refusal: {
    kind: 'upstream-credentials-missing',
    reason: 'upstream_credentials_missing',
    detail: 'there is no token of the client to exchange',
  },
};

const refusedAnew: CredentialsAnswer = {
  ok: false,
  refusal: {
    kind: 'upstream-failed',
    reason: 'unauthorized',
    detail: 'the upstream answered 401 to a token that was exchanged a moment ago',
  },
};

/** Unless the server says when to come again. */
const retryAfterSeconds = 5;

function refusalFor(fault: NotExchanged, serverName: string): Refusal {
  const detail = `${serverName}: ${fault.detail}`;
  if (fault.fault === 'denied')
    return { kind: 'upstream-credentials-missing', reason: 'upstream_credentials_refused', detail };
  return {
    kind: 'upstream-credentials-unavailable',
    reason: `exchange_${fault.fault}`,
    retryAfterSeconds: fault.retryAfterSeconds ?? retryAfterSeconds,
    detail,
  };
}
