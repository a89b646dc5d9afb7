import { loginInputName } from '../vocabulary/opens-urls.ts';
import { markup, page, pageHeaders, shownName } from '../vocabulary/page.ts';
import type { Refusal, UserLoginReason } from '../vocabulary/refusal.ts';
import { jsonHeaders } from './json-headers.ts';

type RefusedLogin = Extract<Refusal, { readonly kind: 'user-login-refused' }>;

interface LoginAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * MCP 2026-07-28: what the person has to do first is a result, which the client shows them; undefined for a client that
 * hasn't said that it does. `id` is the JSON text of the request's.
 */
export function loginInput(
  { url, opensUrls, server }: Extract<Refusal, { readonly kind: 'upstream-login-needed' }>,
  id: string | null,
): LoginAnswer | undefined {
  if (url === undefined || opensUrls !== true) return undefined;
  const params = { mode: 'url', message: `Log in at the MCP server ${server} to go on`, url };
  const inputRequests = { [loginInputName]: { method: 'elicitation/create', params } };
  const result = JSON.stringify({ resultType: 'input_required', inputRequests });
  const body = `{"jsonrpc":"2.0","id":${id ?? 'null'},"result":${result}}`;
  return { status: 200, headers: jsonHeaders, body };
}

/** What a person in front of a browser is told: what happened to their login, and what to do. */
export function loginAnswer({ reason, visitor }: RefusedLogin): LoginAnswer {
  const { status, title, says } = words[reason];
  const who =
    reason === 'login_other_person' && visitor !== undefined
      ? markup`<p>This browser is logged in as <b>${shownName(visitor)}</b>.</p>`
      : markup``;
  return { status, headers: pageHeaders, body: page(title, markup`${who}<p>${says}</p>`) };
}

interface Words {
  readonly status: number;
  readonly title: string;
  readonly says: string;
}

const again = 'Go back to your MCP client and try again what you did: it shows a new link.';

const words: Readonly<Record<UserLoginReason, Words>> = {
  login_link: {
    status: 400,
    title: 'This link has ended',
    says: `Links are good for ten minutes. ${again}`,
  },
  login_link_used: {
    status: 400,
    title: 'This link has been used',
    says: `Nothing has changed. ${again}`,
  },
  login_browser: {
    status: 400,
    title: 'This browser has no such login under way',
    says: `It was begun in another browser, it took too long, or another one was begun here since. ${again}`,
  },
  login_form: {
    status: 403,
    title: 'This did not come from the page that asked you',
    says: `Nothing has changed. ${again}`,
  },
  login_other_person: {
    status: 403,
    title: 'This link is for somebody else',
    says: 'Nothing has changed. If it is you under another name, log out there and open the link again. If somebody sent you this link, tell whoever runs the gateway.',
  },
  login_answer: {
    status: 400,
    title: 'This is no login',
    says: `Nothing has changed: what this browser brought back is not an answer that the server takes, or it is too old. ${again}`,
  },
  login_declined: {
    status: 200,
    title: 'Nothing has changed',
    says: 'You have not been logged in. You can close this page.',
  },
  login_failed: {
    status: 502,
    title: 'The login failed',
    says: `Nothing has changed: a server that was asked gave no login. ${again} If that does not help, tell whoever runs the gateway.`,
  },
  login_unavailable: {
    status: 503,
    title: 'Not now',
    says: `Nothing has changed: a server that has to be asked does not answer at the moment. ${again}`,
  },
};
