import { describe, expect, it } from 'vitest';

import { loginCookie } from './login-cookie.ts';

const https = loginCookie('https://gate.example.com/base');
const http = loginCookie('http://localhost:8080');

describe('the cookie of a login', () => {
  it('over https is of this host alone, for no script, for no form of another site', () => {
    expect(https.write('x')).toBe(
      '__Host-portcullis-login=x; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=600',
    );
  });

  it('over plain http, on loopback, has a name that browsers take there', () => {
    expect(http.write('x')).toBe('portcullis-login=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=600');
  });

  it('is taken away at the end', () => {
    expect(https.write(undefined)).toMatch(/^__Host-portcullis-login=; .*Max-Age=0$/);
  });

  it.each([
    [undefined, undefined],
    ['', undefined],
    ['a=b; __Host-portcullis-login=x; c=d', 'x'],
    ['__Host-portcullis-login=x;__Host-portcullis-login=x', undefined],
    ['portcullis-login=x', undefined],
    ['__host-portcullis-login=x', undefined],
    ['a__Host-portcullis-login=x', undefined],
    ...['\u00a0', '\ufeff', '\u2000', '\v'].map((space) => [
      `a=b; ${space}__Host-portcullis-login=x`,
      undefined,
    ]),
    ['\u00a0__Host-portcullis-login=evil; __Host-portcullis-login=x', 'x'],
  ])('is read from %j as %j', (header, value) => expect(https.read(header)).toBe(value));
});
