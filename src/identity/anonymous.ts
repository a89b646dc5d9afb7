import { createHash } from 'node:crypto';

import type { Route } from '../config/configuration.ts';

/** 128 bits. */
const digestLength = 22;

/**
 * Who asks in a session where nobody logged in: one subject for each session of a route. The upstream chose the id, and the
 * gateway's seal of it opened, so no byte of it is a client's choice. It is a digest: whoever reads it in a log of the
 * upstream can't go on with the session.
 */
export function sessionSubject(upstreamId: string, { name, upstream }: Route): string {
  const digest = createHash('sha256').update(JSON.stringify([name, upstream.url, upstreamId]));
  return `session-${digest.digest('base64url').slice(0, digestLength)}`;
}
