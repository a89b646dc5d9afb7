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
    [['Basic bearer abc'], 'other_scheme'],
    [['Bearer x bearer abc'], 'malformed_credentials'],
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

describe('credentials that a connection sent before', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BearerXabc', 'other_scheme'],
    ['Bearer abcd', 'abcd'],
    ['Bearer xbc', 'xbc'],
    ['Bearer xabc', 'xabc'],
    ['Bearer äabc', 'malformed_credentials'],
    ['DPoP   abc', 'other_scheme'],
  ])('are no more than what is sent now: %j is %s', (value, expected) => {
    const result = readCredentials(['Authorization', value], undefined, 'abc');
    expect(result.ok ? result.token : result.refusal.reason).toBe(expected);
  });

  it('are ambiguous in two lines as ever (A-044)', () => {
    const lines = ['Authorization', 'Bearer abc', 'authorization', 'Bearer abc'];
    expect(readCredentials(lines, undefined, 'abc')).toMatchObject({ ok: false });
  });
});

describe('credentials on a route with DPoP (I2)', () => {
  const dpop = { mode: 'optional', nonce: false, algorithms: ['ES256'], window: 60_000 } as const;

  it.each([
    ['DPoP abc', ['DPoP', 'abc']],
    ['dpop a.b-c_d~e+f/g==', ['DPoP', 'a.b-c_d~e+f/g==']],
    ['Bearer abc', ['Bearer', 'abc']],
    ['DPoP', 'malformed_credentials'],
    ['DPoP ', 'malformed_credentials'],
    ['DPoP  abc', 'malformed_credentials'],
    ['DPoP abc def', 'malformed_credentials'],
    ['DPoP abc, Bearer def', 'malformed_credentials'],
    ['DPoPx abc', 'other_scheme'],
    ['xDPoP abc', 'other_scheme'],
    ['Basic dpop abc', 'other_scheme'],
    ['DPoP x dpop abc', 'malformed_credentials'],
    ['Basic abc', 'other_scheme'],
  ])('reads %j as %j', (value, expected) => {
    const result = readCredentials(['Authorization', value], dpop);
    expect(result.ok ? [result.scheme, result.token] : result.refusal.reason).toEqual(expected);
  });
});

describe('credentials on a connection that has shown a token before', () => {
  const dpop = { mode: 'optional', nonce: false, algorithms: ['ES256'], window: 60_000 } as const;

  it.each([
    ['Bearer abc', ['Bearer', 'abc']],
    ['bearer abc', ['Bearer', 'abc']],
    ['Bearer abd', ['Bearer', 'abd']],
    ['Bearer xabc', ['Bearer', 'xabc']],
    ['Bearer abcx', ['Bearer', 'abcx']],
    ['DPoP abc', ['DPoP', 'abc']],
    ['DPoP    abc', 'malformed_credentials'],
    ['Basics abc', 'other_scheme'],
    ['abcabcabcabc', 'other_scheme'],
    ['Bearer ', 'malformed_credentials'],
    ['abc', 'other_scheme'],
  ])('are read from %j alike', (value, expected) => {
    const result = readCredentials(['Authorization', value], dpop, 'abc');
    expect(result.ok ? [result.scheme, result.token] : result.refusal.reason).toEqual(expected);
  });

  it('aren’t spelled out again where they are the same', () => {
    const again = readCredentials(['Authorization', 'Bearer what was read once'], dpop, 'what was read once');
    expect(again).toEqual({ ok: true, token: 'what was read once', scheme: 'Bearer' });
    expect(
      readCredentials(['Authorization', 'bearer what was read once'], dpop, 'what was read once'),
    ).toMatchObject({
      ok: false,
    });
  });
});
