/** A server that asks for more is asked again earlier: a mistake of its shouldn't shut people out for a day. */
const longestRetryAfterSeconds = 60;

/** When an authorization server wants to be asked again (RFC 9110 §10.2.3), in seconds, a minute at most; dates aren't read. */
export function readRetryAfter({ headers }: Response): number | undefined {
  const written = headers.get('retry-after');
  return written !== null && /^[0-9]{1,9}$/.test(written)
    ? Math.min(longestRetryAfterSeconds, Math.max(1, Number(written)))
    : undefined;
}

/** A word of why a server couldn't be asked, for the log. */
export function describeFailure(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'failed';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
