import type { Upstream } from '../config/configuration.ts';
import type { Refusal } from '../vocabulary/refusal.ts';

const tlsCodes =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT|UNABLE_TO_|EPROTO$|HOSTNAME_MISMATCH$)/;

/** What an error of the connection to the upstream means for the client; told apart by code, never by message. */
export function refusalForUpstream(error: Error): Refusal {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return { kind: 'upstream-silent', reason: 'connect_timeout', detail: code };
    case 'UND_ERR_HEADERS_TIMEOUT':
      return { kind: 'upstream-silent', reason: 'headers_timeout', detail: code };
    case 'EMFILE':
    case 'ENFILE':
    case 'EADDRNOTAVAIL':
    case 'ENOBUFS':
      return { kind: 'route-full', reason: 'sockets_exhausted', detail: code };
    case 'ECONNREFUSED':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { kind: 'upstream-failed', reason: 'refused', detail: code };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return { kind: 'upstream-failed', reason: 'reset', detail: code };
    default:
      return {
        kind: 'upstream-failed',
        reason: tlsCodes.test(code) ? 'tls' : 'garbage',
        detail: code === '' ? error.name : code,
      };
  }
}

/**
 * Statuses that don't pass. A redirect would send the client, with its token, where the upstream likes. A 401 or
 * 403 would make it drop a token that was good for us: the upstream has no quarrel with it, but with the gateway. Where
 * the upstream is shown the client's token, they are about that one and pass.
 */
export function refusalForStatus(
  status: number,
  location: string,
  { token }: Pick<Upstream, 'token'>,
): Refusal | undefined {
  if (status >= 300 && status < 400) {
    return {
      kind: 'upstream-failed',
      reason: 'redirect',
      detail: `status ${status} to ${addressOf(location)}: put the final address into upstream.url`,
    };
  }
  if ((status === 401 || status === 403) && token === 'strip') {
    return {
      kind: 'upstream-failed',
      reason: 'unauthorized',
      detail: `the upstream answered ${status}: it wants credentials of its own`,
    };
  }
  return undefined;
}

/** Origin and path alone: the rest of a redirect may carry a code, a state or a password. */
function addressOf(location: string): string {
  const [address = ''] = location.split(/[?#]/, 1);
  return address.replace(/\/\/[^/]*@/, '//').slice(0, 200);
}
