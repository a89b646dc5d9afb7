import { describe, expect, it } from 'vitest';

import { closest } from './closest.ts';

const keys = ['publicUrl', 'listen', 'log', 'routes', 'authorizationServers'];

describe('the closest word', () => {
  it.each([
    ['publicURL', 'publicUrl'],
    ['public_url', 'publicUrl'],
    ['lisetn', 'listen'],
    ['route', 'routes'],
    ['authorisationServers', 'authorizationServers'],
    ['authorizationServer', 'authorizationServers'],
  ])('to %s is %s', (word, key) => {
    expect(closest(word, keys)).toBe(key);
  });

  it.each(['tls', 'database', 'x', ''])('to %j is none', (word) => {
    expect(closest(word, keys)).toBeUndefined();
  });
});
