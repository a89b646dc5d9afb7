import { hash } from 'node:crypto';

/** Text that a browser may take for HTML. Only `markup` makes it. */
export interface Html {
  readonly html: string;
}

type Part = string | Html | readonly Html[];

/** HTML with everything escaped that is put into it, in text and in quoted attributes alike. */
export function markup(written: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return {
    html: written.reduce((text, literal, index) => `${text}${htmlOf(parts[index - 1] ?? '')}${literal}`),
  };
}

function htmlOf(part: Part): string {
  if (typeof part === 'string') return escape(part);
  return 'html' in part ? part.html : part.map((each) => each.html).join('');
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** What others named: without characters that turn the text round or aren't seen, and not longer than a line. */
export function shownName(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, '').trim();
  return plain.length > 120 ? `${plain.slice(0, 119)}…` : plain;
}

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:4em auto;padding:0 1em;color:#1a1a1a;background:#fff}dt{color:#555}dd{margin:0 0 1em;overflow-wrap:anywhere}button{font:inherit;padding:.4em 1em;margin-right:.5em}';

/**
 * Of every page. No script runs, nothing is loaded, nobody frames it (CSP 3), a form goes to the gateway alone, and
 * neither a cache nor the site that is opened next is told the address, which holds codes.
 */
export const pageHeaders: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};

/** A whole page. With `next` the browser goes on to that address by itself. */
export function page(title: string, body: Html, next?: string): string {
  const refresh = next === undefined ? '' : markup`<meta http-equiv="refresh" content="0;url=${next}">`;
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex">${refresh}
<title>${title}</title><style>${{ html: style }}</style></head>
<body><main><h1>${title}</h1>
${body}
</main></body></html>
`.html;
}
