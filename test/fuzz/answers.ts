import type { Arrival } from './watched-gateway.ts';

/** The statuses of all answers in the bytes, or what is no answer; of one to HEAD the body is missing. */
export function statusesIn(bytes: Buffer): readonly number[] {
  return [...bytes.toString('latin1').matchAll(/(?:^|\r\n\r\n|[^\r\n])HTTP\/1\.1 (\d{3})/g)].map(
    ([, status]) => Number(status),
  );
}

/** Names as an upstream may meet them, and those of the connection between the two. */
const known =
  /^(?:host|connection|transfer-encoding|accept[a-z-]*|content-[a-z-]+|mcp-[a-z0-9-]+|user-agent|last-event-id|x-auth-(?:subject|issuer|client-id|scopes|email))$/;

/** What a request at the upstream must never be: by another method, at another place, of nobody, or with more than may pass. */
export function faultOfArrival(arrival: Arrival): string | undefined {
  const { method, target, headers } = arrival;
  if (target !== '/mcp') return `the request decides where it goes: ${target}`;
  if (!['GET', 'POST', 'DELETE'].includes(method)) return `another method goes on: ${method}`;
  if (!subjectOf(arrival)?.startsWith(subjectPrefix)) return `nobody is let in: ${JSON.stringify(headers)}`;
  const stranger = Object.keys(headers).find((name) => !known.test(name));
  return stranger === undefined ? undefined : `a header goes on: ${stranger}`;
}

/** What the subjects of all tokens begin with. */
export const subjectPrefix = 'user-';

/** As the upstream is told; undefined unless it is told once. */
export function subjectOf({ headers }: Arrival): string | undefined {
  const [subject, ...others] = headers['x-auth-subject'] ?? [];
  return others.length === 0 ? subject : undefined;
}
