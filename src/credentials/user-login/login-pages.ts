import type { Route } from '../../config/configuration.ts';
import { markup, page, shownName } from '../../vocabulary/page.ts';
import type { Html } from '../../vocabulary/page.ts';
import type { PendingLogin } from '../oauth/login.ts';
import { loginPath } from './login-links.ts';

export interface Asked {
  readonly route: Route;
  readonly pending: PendingLogin;
  /** Proves that the answer comes from this page. */
  readonly form: string;
  /** Of the person, in their own words. */
  readonly name: string;
  /** Origin of the gateway. */
  readonly gateway: string;
}

/** Who gets what, where, for whom: the person agrees or doesn't. */
export function askingPage({ route, pending, form, name, gateway }: Asked): string {
  const { scopes, server, upstream } = pending;
  const asked: Html =
    scopes.length === 0
      ? markup`what it gives by default`
      : markup`${scopes.map((scope) => markup`<code>${shownName(scope)}</code> `)}`;
  const tenant = route.tenant === undefined ? '' : ` (${route.tenant.name})`;
  return page(
    `Log in at ${shownName(route.name)}?`,
    markup`<p>
        The gateway <b>${new URL(gateway).host}</b> wants to use this MCP server in your name. You log in
        there next.
      </p>
      <dl>
        <dt>MCP server</dt>
        <dd><b>${route.name}</b>${tenant}, ${upstream}</dd>
        <dt>You log in at</dt>
        <dd>${server.issuer}</dd>
        <dt>The gateway asks for</dt>
        <dd>${asked}</dd>
        <dt>You are</dt>
        <dd><b>${shownName(name)}</b></dd>
      </dl>
      <p>
        It keeps this login for you, and uses it for your own calls and nobody else's. Go on only if you have
        just asked for it in your MCP client.
      </p>
      <form method="post" action="${loginPath}/consent">
        <input type="hidden" name="form" value="${form}" /> <button name="answer" value="allow">Go on</button
        ><button name="answer" value="cancel">Cancel</button>
      </form>`,
  );
}

/**
 * The browser goes on by itself. A redirect would do the same, but browsers hold redirects after a form against
 * `form-action` as well, through all that the other server does then.
 */
export function leavingPage({ url }: PendingLogin): string {
  const { host } = new URL(url);
  return page(
    'One moment',
    markup`<p>You are on your way to ${host}. If nothing happens, <a href="${url}">go on yourself</a>.</p>`,
    url,
  );
}

export function donePage({ name }: Route): string {
  return page(
    'You are logged in',
    markup`<p>
      The gateway can use <b>${name}</b> in your name now. Close this page and go on in your MCP client: what
      it asked for last, it has to ask again.
    </p>`,
  );
}
