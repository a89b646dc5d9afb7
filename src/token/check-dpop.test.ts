import { describe, expect, it } from 'vitest';

import {
  checkAge,
  checkBinding,
  checkMethod,
  checkTarget,
  checkTokenHash,
  replayTtlMs,
} from './check-dpop.ts';
import type { Proof } from './dpop-proof.ts';

const nowMs = 1_800_000_000_000;
const now = nowMs / 1000;

function proofOf(claims: Readonly<Record<string, unknown>>): Proof {
  return { thumbprint: 'k', jti: 'j', claims };
}

it('a used proof is remembered for its window and 5 s of two clocks each (RFC 9449 §11.1)', () => {
  expect(replayTtlMs(60_000)).toBe(70_000);
});

it('a proof is made by the key that the token is bound to (RFC 9449 §6.1)', () => {
  expect(checkBinding(proofOf({}), 'k')).toBeUndefined();
  expect(checkBinding(proofOf({}), 'other')).toEqual({
    reason: 'proof_binding',
    detail: 'the token is bound to another key',
  });
});

it('a proof is for one method, in its own case', () => {
  expect(checkMethod(proofOf({ htm: 'POST' }), 'POST')).toBeUndefined();
  expect(checkMethod(proofOf({ htm: 'post' }), 'POST')).toEqual({
    reason: 'proof_method',
    detail: 'htm "post", expected POST',
  });
});

it('a proof is for one token, to the letter', () => {
  const ath = 'LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ';
  expect(checkTokenHash(proofOf({ ath }), 'hello')).toBeUndefined();
  expect(checkTokenHash(proofOf({ ath }), 'hello ')).toEqual({
    reason: 'proof_token',
    detail: 'ath is not of this token',
  });
});

describe('the target of a proof (RFC 9449 §4.3, 9)', () => {
  const target = 'https://mcp.example.com/a/mcp';

  it.each([
    target,
    'HTTPS://MCP.Example.COM/a/mcp',
    'https://mcp.example.com:443/a/mcp',
    `${target}?x=1`,
    `${target}#x`,
  ])('is the route’s, written as %s', (htu) => {
    expect(checkTarget(proofOf({ htu }), ['https://other.example/', target])).toBeUndefined();
  });

  it.each([
    'http://mcp.example.com/a/mcp',
    'https://mcp.example.com:80/a/mcp',
    'https://mcp.example.com:8443/a/mcp',
    'https://mcp.example.com/a/mcp/',
    'https://mcp.example.com/a/MCP',
    'https://mcp.example.com',
    'https://u@mcp.example.com/a/mcp',
    ` ${target}`,
    `${target} `,
    `x${target}`,
    `${target}?\u00e9`,
    'https://mcp.example.com/a/mcp\u00e9',
    'ftp://mcp.example.com/a/mcp',
    '',
    undefined,
    7,
    [target],
  ])('is not %j', (htu) => {
    expect(checkTarget(proofOf({ htu }), [target])?.reason).toBe('proof_target');
  });

  it('is no other than an address, even if what is compared with it were none', () => {
    expect(checkTarget(proofOf({}), ['no address'])?.reason).toBe('proof_target');
    expect(checkTarget(proofOf({ htu: 'no address' }), ['no address'])?.reason).toBe('proof_target');
  });

  it('has the path / where it has none, and the default port of its own scheme', () => {
    expect(checkTarget(proofOf({ htu: 'http://a.example:80' }), ['http://a.example/'])).toBeUndefined();
    expect(checkTarget(proofOf({ htu: 'http://a.example:443/' }), ['http://a.example/'])).toBeDefined();
    expect(
      checkTarget(proofOf({ htu: 'http://a.example:8080/' }), ['http://a.example:8080']),
    ).toBeUndefined();
  });

  it('is told to the operator without its query', () => {
    expect(checkTarget(proofOf({ htu: 'https://B.example:443/x?secret' }), [target, 'https://c/'])).toEqual({
      reason: 'proof_target',
      detail: `htu "https://b.example/x", expected ${target} or https://c/`,
    });
    expect(checkTarget(proofOf({ htu: 'secret' }), [target])?.detail).toBe(`htu nothing, expected ${target}`);
  });
});

describe('the age of a proof (RFC 9449 §4.3, 11)', () => {
  const windowMs = 60_000;
  const judge = (claims: Readonly<Record<string, unknown>>, knowsSinceMs?: number): string | undefined => {
    const fault = checkAge(proofOf(claims), { nowMs, windowMs, knowsSinceMs });
    if (fault !== undefined) expect(fault.reason).toBe('proof_time');
    return fault?.detail;
  };

  it.each([
    [{ iat: now }, undefined],
    [{ iat: now - 60 }, undefined],
    [{ iat: now - 60.5 }, 'iat is 60 s ago'],
    [{ iat: now - 61 }, 'iat is 61 s ago'],
    [{ iat: now + 5 }, undefined],
    [{ iat: now + 5.5 }, 'iat is 6 s ahead'],
    [{ iat: now + 3600 }, 'iat is 3600 s ahead'],
    [{}, 'iat nothing'],
    [{ iat: String(now) }, `iat "${now}"`],
    [{ iat: -1 }, 'iat -1'],
    [{ iat: 0 }, `iat is ${now} s ago`],
    [{ iat: now, exp: now + 1 }, undefined],
    [{ iat: now, exp: now }, `exp ${now}`],
    [{ iat: now, exp: now - 1 }, `exp ${now - 1}`],
    [{ iat: now, exp: 'x' }, 'exp "x"'],
    [{ iat: now, nbf: now + 5 }, undefined],
    [{ iat: now, nbf: now + 6 }, `nbf ${now + 6}`],
    [{ iat: now, nbf: null }, 'nbf null'],
    [{ iat: now, exp: now + 1, nbf: now - 1 }, undefined],
  ])('%j: %s', (claims, detail) => {
    expect(judge(claims)).toBe(detail);
  });

  it('is not more than what this process remembers', () => {
    expect(judge({ iat: now - 1 }, nowMs - 1000)).toBeUndefined();
    expect(judge({ iat: now - 1 }, nowMs - 999)).toBe('made before this process began to remember');
    expect(judge({ iat: now - 1 }, 0)).toBeUndefined();
  });
});
