/** A person with a browser that keeps cookies, but follows no redirect by itself. */
import { signIn } from './sign-in.ts';

export interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Visits pages of one gateway. */
export class LoginVisitor {
  /** By name. */
  readonly cookies = new Map<string, string>();
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  async open(url: string, form?: Readonly<Record<string, string>>): Promise<Seen> {
    const response = await fetch(url, {
      method: form === undefined ? 'GET' : 'POST',
      body: form === undefined ? null : new URLSearchParams(form),
      headers: { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      redirect: 'manual',
      signal: AbortSignal.timeout(20_000),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return { status: response.status, headers: response.headers, body: await response.text() };
  }

  /** Opens a link and shows who they are; answers where the authorization server sends them back to. */
  async identify(link: string, account: string): Promise<string> {
    const { headers, status, body } = await this.open(link);
    const location = headers.get('location');
    if (location === null) throw new Error(`the link led nowhere: ${status} ${body}`);
    return (await signIn(new URL(location), account)).href;
  }

  /** Agrees on the page that asks; answers where they go next. */
  async agree(asked: Seen, answer = 'allow'): Promise<Seen & { readonly next: string | undefined }> {
    const action = /action="([^"]*)"/.exec(asked.body)?.[1] ?? '';
    const seen = await this.open(new URL(action, this.#origin).href, { form: fieldIn(asked.body), answer });
    const next = /content="0;url=([^"]*)"/.exec(seen.body)?.[1];
    return { ...seen, next: next === undefined ? undefined : unescape(next) };
  }

  /** The whole way, up to the page that is shown in the end. */
  async logIn(link: string, account: string, atUpstream = 'robot'): Promise<Seen> {
    const asked = await this.open(await this.identify(link, account));
    if (asked.status !== 200) return asked;
    const { next, ...agreed } = await this.agree(asked);
    if (next === undefined) return agreed;
    return this.open((await signIn(new URL(next), atUpstream)).href);
  }
}

/** What the form brings back besides the answer. */
export function fieldIn(body: string): string {
  return /name="form" value="([^"]*)"/.exec(body)?.[1] ?? '';
}

function unescape(text: string): string {
  return text.replaceAll(/&#(\d+);/g, (_whole, code: string) => String.fromCharCode(Number(code)));
}
