import { describe, expect, it } from 'vitest';

import { pageHeaders } from '../vocabulary/page.ts';
import type { UserLoginReason } from '../vocabulary/refusal.ts';
import { loginAnswer, loginInput } from './login-answers.ts';

const again = 'Go back to your MCP client and try again what you did: it shows a new link.';

const told: readonly (readonly [UserLoginReason, number, string, string])[] = [
  ['login_link', 400, 'This link has ended', `Links are good for ten minutes. ${again}`],
  ['login_link_used', 400, 'This link has been used', `Nothing has changed. ${again}`],
  [
    'login_browser',
    400,
    'This browser has no such login under way',
    `It was begun in another browser, it took too long, or another one was begun here since. ${again}`,
  ],
  ['login_form', 403, 'This did not come from the page that asked you', `Nothing has changed. ${again}`],
  [
    'login_other_person',
    403,
    'This link is for somebody else',
    'Nothing has changed. If it is you under another name, log out there and open the link again. If somebody sent you this link, tell whoever runs the gateway.',
  ],
  [
    'login_answer',
    400,
    'This is no login',
    `Nothing has changed: what this browser brought back is not an answer that the server takes, or it is too old. ${again}`,
  ],
  ['login_declined', 200, 'Nothing has changed', 'You have not been logged in. You can close this page.'],
  [
    'login_failed',
    502,
    'The login failed',
    `Nothing has changed: a server that was asked gave no login. ${again} If that does not help, tell whoever runs the gateway.`,
  ],
  [
    'login_unavailable',
    503,
    'Not now',
    `Nothing has changed: a server that has to be asked does not answer at the moment. ${again}`,
  ],
];

describe('a page about a login', () => {
  it.each(told)('tells a person what happened, and what to do: %s', (reason, status, title, says) => {
    const answer = loginAnswer({ kind: 'user-login-refused', reason });
    expect(answer.status).toBe(status);
    expect(answer.headers).toBe(pageHeaders);
    expect(answer.body).toContain(`<h1>${title}</h1>\n<p>${says}</p>\n</main>`);
  });

  it('says whom the browser is logged in as only where that is somebody else, and as text', () => {
    const visitor = '<Bob>';
    const who = '<p>This browser is logged in as <b>&#60;Bob&#62;</b>.</p><p>Nothing';
    const other = { kind: 'user-login-refused', reason: 'login_other_person' } as const;
    expect(loginAnswer({ ...other, visitor }).body).toContain(who);
    expect(loginAnswer(other).body).not.toContain('is logged in as');
    expect(loginAnswer({ ...other, reason: 'login_form', visitor }).body).not.toContain('Bob');
  });
});

describe('a login that is asked for as an input of the call', () => {
  const needed = {
    kind: 'upstream-login-needed',
    reason: 'upstream_login_needed',
    server: 'github',
    login: 'portcullis login github',
    detail: '',
  } as const;
  const url = 'https://gate.example/l/1';

  it('is a result that has the client open the address (MCP 2026-07-28)', () => {
    const answer = loginInput({ ...needed, url, opensUrls: true }, '"x"');
    expect([answer?.status, answer?.headers['content-type']]).toEqual([
      200,
      'application/json; charset=utf-8',
    ]);
    expect(JSON.parse(answer?.body ?? '')).toEqual({
      jsonrpc: '2.0',
      id: 'x',
      result: {
        resultType: 'input_required',
        inputRequests: {
          portcullis_login: {
            method: 'elicitation/create',
            params: { mode: 'url', message: 'Log in at the MCP server github to go on', url },
          },
        },
      },
    });
    expect(JSON.parse(loginInput({ ...needed, url, opensUrls: true }, null)?.body ?? '')).toMatchObject({
      id: null,
    });
  });

  it('is none where there is no address, or the client opens none', () => {
    expect(loginInput({ ...needed, opensUrls: true }, '1')).toBeUndefined();
    expect(loginInput({ ...needed, url }, '1')).toBeUndefined();
  });
});
