/**
 * Goes through an authorization request as a person with a browser would: follows redirects, keeps cookies,
 * answers the login page. Answers the redirect that leads back to the client.
 */
export async function signIn(authorizationUrl: URL, account: string): Promise<URL> {
  const redirectUri = authorizationUrl.searchParams.get('redirect_uri');
  if (redirectUri === null) throw new Error('the authorization request names no redirect_uri');
  const cookies = new Map<string, string>();
  let url = authorizationUrl;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 10; step += 1) {
    const response = await visit(url, cookies, form);
    const location = response.headers.get('location');
    if (location !== null) {
      url = new URL(location, url);
      form = undefined;
      if (url.href.startsWith(redirectUri)) return url;
    } else if (response.ok && form === undefined) {
      form = new URLSearchParams({ account });
    } else {
      throw new Error(`the login ended with ${response.status}: ${(await response.text()).slice(0, 300)}`);
    }
  }
  throw new Error('the login went in circles');
}

async function visit(
  url: URL,
  cookies: Map<string, string>,
  form: URLSearchParams | undefined,
): Promise<Response> {
  const response = await fetch(url, {
    method: form === undefined ? 'GET' : 'POST',
    body: form ?? null,
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    redirect: 'manual',
    signal: AbortSignal.timeout(10_000),
  });
  for (const line of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === '') cookies.delete(name);
    else cookies.set(name, value);
  }
  return response;
}
