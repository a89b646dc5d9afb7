import { describe, expect, it } from 'vitest';

import type { AuthorizationServer } from '../config/configuration.ts';
import { describeTimes } from './describe-times.ts';

const now = 1_800_000_000;
const told = (claims: Record<string, unknown>, leeway = 0): string =>
  describeTimes(claims, { leeway } as AuthorizationServer, now * 1000);

describe('the times of a token', () => {
  it('are told with their distance from now, and with the leeway where there is one', () => {
    expect(told({ exp: now + 7200, nbf: now - 90, iat: now - 3 * 86_400 }, 30)).toBe(
      'expires 2027-01-15T10:00:00.000Z (in 2 h), begins 2027-01-15T07:58:30.000Z (90 s ago), issued 2027-01-12T08:00:00.000Z (3 d ago), leeway 30 s',
    );
  });

  it.each([
    [{}, 'no times'],
    [{ exp: 'soon', nbf: null, iat: [] }, 'no times'],
    [{ exp: 1e300 }, 'no times'],
    [{ exp: Number.NaN }, 'no times'],
    [{ iat: now }, 'issued 2027-01-15T08:00:00.000Z (in 0 s)'],
  ])('that are no dates are left out: %j', (claims, expected) => {
    expect(told(claims)).toBe(expected);
  });
});
