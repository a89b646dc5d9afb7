import { parsedText } from './text.ts';

const name = /^[^\p{Cc}\s/][^\p{Cc}]*$/u;

/** RFC 6901, without empty steps: no one means those. */
const path = /^([/]([^\p{Cc}/~]|~[01])+)+$/u;

/** A claim's own name, or a path to it through objects. See `claimAt`. */
export const claimName = parsedText({
  type: 'claim',
  expected: 'a claim such as email, or the path to one such as /realm_access/roles',
  pattern: new RegExp(`${name.source}|${path.source}`, 'u'),
  read: (text) => {
    if (name.test(text) || path.test(text)) return { ok: true, value: text };
    const hint = 'a path has a name after each slash; in a name, / is written ~1 and ~ is written ~0';
    return { ok: false, ...(text.startsWith('/') ? { hint } : {}) };
  },
});
