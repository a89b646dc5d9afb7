import { describe, expect, it } from 'vitest';

import { readCredentials } from './credentials.ts';

const read = (...values: string[]): string => {
  const result = readCredentials(values.flatMap((value) => ['Authorization', value]));
  return result.ok ? result.token : result.refusal.reason;
};

describe('credentials (A02, A-042, A-044, A-045)', () => {
  it.each([
    [['Bearer abc'], 'abc'],
    [['bearer abc'], 'abc'],
    [['BEARER a.b-c_d~e+f/g=='], 'a.b-c_d~e+f/g=='],
    [[], 'no_credentials'],
    [['Basic abc'], 'other_scheme'],
    [['DPoP abc'], 'other_scheme'],
    [['BearerX abc'], 'other_scheme'],
    [[''], 'other_scheme'],
    [['Bearer'], 'malformed_credentials'],
    [['Bearer '], 'malformed_credentials'],
    [['Bearer  abc'], 'malformed_credentials'],
    [['Bearer\tabc'], 'malformed_credentials'],
    [['Bearer abc def'], 'malformed_credentials'],
    [['Bearer abc, Bearer def'], 'malformed_credentials'],
    [['Bearer:abc'], 'malformed_credentials'],
    [['Bearer äbc'], 'malformed_credentials'],
    [['Bearer abc', 'Bearer def'], 'several_authorization_headers'],
    [['Bearer abc', 'Bearer abc'], 'several_authorization_headers'],
    [['Basic abc', 'Bearer def'], 'several_authorization_headers'],
  ])('reads %j as %s', (values, expected) => {
    expect(read(...values)).toBe(expected);
  });
});
