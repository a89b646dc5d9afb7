import type { Arrival } from './watched-gateway.ts';

/** The statuses of all answers in the bytes, or what is no answer; of one to HEAD the body is missing. */
export function statusesIn(bytes: Buffer): readonly number[] {
  return [...bytes.toString('latin1').matchAll(/(?:^|\r\n\r\n|[^\r\n])HTTP\/1\.1 (\d{3})/g)].map(
    ([, status]) => Number(status),
  );
}

/** What a request at the upstream must never be: by another method, at another place, or of nobody. */
export function faultOfArrival({ method, target, headers }: Arrival): string | undefined {
  if (target !== '/mcp') return `the request decides where it goes: ${target}`;
  if (!['GET', 'POST', 'DELETE'].includes(method)) return `another method goes on: ${method}`;
  if (headers['x-auth-subject']?.join() !== 'alice') return `nobody is let in: ${JSON.stringify(headers)}`;
  return headers['authorization'] === undefined ? undefined : 'the token goes on';
}
