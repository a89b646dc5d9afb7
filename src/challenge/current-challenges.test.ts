import { describe, expect, it } from 'vitest';

import type { Route } from '../config/configuration.ts';
import { currentChallenges } from './current-challenges.ts';

const route = {
  name: 'tools',
  discovery: 'on',
  resourceMetadataUrl: 'https://m.example',
} as unknown as Route;
const live: Route = { ...route, challengeScopes: 'from-authorization-server' };
const shown = (scopes: string): string => `Bearer scope="${scopes}", resource_metadata="https://m.example"`;

describe('the challenges of a route at a moment (A04)', () => {
  it('are made once where its scopes are written', () => {
    const current = currentChallenges({ ...route, challengeScopes: ['a'] }, () => {
      throw new Error('nobody has to be looked at');
    });
    expect(current().missing).toBe(shown('a'));
    expect(current()).toBe(current());
  });

  it('are made anew when what its servers advertise is another list', () => {
    let scopes: readonly string[] = ['a'];
    let looks = 0;
    const current = currentChallenges(live, (of) => {
      expect(of).toBe(live);
      looks += 1;
      return { glance: () => scopes };
    });
    const first = current();
    expect(first.missing).toBe(shown('a'));
    expect(current()).toBe(first);
    scopes = ['a', 'b'];
    expect(current().missing).toBe(shown('a b'));
    expect(looks).toBe(1);
  });

  it('show whole scopes of 4096 characters at the most, from the front', () => {
    const of = (...scopes: readonly string[]) => currentChallenges(live, () => ({ glance: () => scopes }))();
    const half = 'x'.repeat(2047);
    expect(of(half, half).missing).toBe(shown(`${half} ${half}`));
    expect(of(half, `${half}y`).missing).toBe(shown(half));
    expect(of(half, half, 'z').missing).toBe(shown(`${half} ${half}`));
    expect(of('y'.repeat(5000)).missing).toBe('Bearer resource_metadata="https://m.example"');
  });
});
