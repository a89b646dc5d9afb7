import { expect, it } from 'vitest';

import type { Route } from '../config/configuration.ts';
import { sessionSubject } from './anonymous.ts';

const route = { name: 'tools', upstream: { url: 'http://up.example/mcp' } } as unknown as Route;

it('the subject of a session is a digest of it, another for each session of each route', () => {
  // printf '["tools","http://up.example/mcp","s-1"]' | sha256sum, in base64url.
  expect(sessionSubject('s-1', route)).toBe('session-0pEiiQIQl0IKLSRN6M1kEN');
  const others = [
    sessionSubject('s-2', route),
    sessionSubject('s-1', { ...route, name: 'other' }),
    sessionSubject('s-1', { ...route, upstream: { ...route.upstream, url: 'http://up.example/x' } }),
  ];
  expect(new Set([...others, sessionSubject('s-1', route)]).size).toBe(4);
});
