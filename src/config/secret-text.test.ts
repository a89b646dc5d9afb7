import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { secretFault } from './secret-text.ts';

describe('the key of sessions (E-005)', () => {
  it('is random and of 32 bytes at least', () => {
    for (const encoding of ['hex', 'base64', 'base64url'] as const)
      expect(secretFault(randomBytes(32).toString(encoding), 'session-key')).toBeUndefined();
  });

  it.each(['short', 'a1B2c3D4'.repeat(3), 'x'.repeat(64), 'changeme'.repeat(8), 'abc123-'.repeat(9)])(
    'is not %s, and the fault doesn’t show it',
    (text) => {
      const fault = secretFault(text, 'session-key');
      expect(fault?.expected).toContain('32 bytes');
      expect(JSON.stringify(fault)).not.toContain(text.slice(0, 5));
    },
  );
});

describe('the URL of Redis (C2)', () => {
  it.each([
    'redis://redis',
    'redis://:pass%20word@redis:6379/0',
    'rediss://user:password@cache.example.com:6380',
    'redis://[::1]:6379/15',
  ])('may be %s', (text) => {
    expect(secretFault(text, 'redis-url')).toBeUndefined();
  });

  it.each([
    'redis',
    'http://redis:6379',
    'redis:///0',
    'redis://:hunter2@redis/zero',
    'redis://:hunter2@redis/0?ssl=true',
    'redis://:hunter2%zz@redis',
    ':hunter2@redis:6379',
    'unix:///run/redis.sock',
  ])('is not %s, and the fault doesn’t show it', (text) => {
    const fault = secretFault(text, 'redis-url');
    expect(fault?.expected).toContain('redis://');
    expect(JSON.stringify(fault)).not.toContain('hunter2');
  });
});
