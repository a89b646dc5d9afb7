/** Where the browser keeps a login that is under way. */
export interface LoginCookie {
  /** The value; undefined where there is none, or more than one. */
  read(header: string | undefined): string | undefined;
  /** A `Set-Cookie` line; of undefined one that takes it away. */
  write(value: string | undefined): string;
}

/** As long as the longest step. */
const maxAgeSeconds = 600;

/**
 * Over https with `__Host-`, so that no other site of the domain and nobody on the way can put one there (RFC 6265bis
 * §4.1.3.2). Plain http is for loopback alone, where browsers take no such name. Lax: it comes along when another site
 * sends the browser back, and with no form of another site.
 */
export function loginCookie(publicUrl: string): LoginCookie {
  const isSecure = publicUrl.startsWith('https:');
  const name = isSecure ? '__Host-portcullis-login' : 'portcullis-login';
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isSecure ? '; Secure' : ''}`;
  return {
    read(header = '') {
      const values = header
        .split(';')
        // More isn't taken away: with other white space before it the name is one that neighbours may set.
        .map((pair) => pair.replace(/^[ \t]+/, ''))
        .filter((pair) => pair.startsWith(`${name}=`))
        .map((pair) => pair.slice(name.length + 1));
      return values.length === 1 ? values[0] : undefined;
    },
    write: (value) =>
      `${name}=${value ?? ''}; ${attributes}; Max-Age=${value === undefined ? 0 : maxAgeSeconds}`,
  };
}
