/** Tells the story of a client's HTTP exchanges: what each one is, and which line of its answer matters. */
import { decodeJwt } from 'jose';
import type { Narrator, Step } from './narrator.ts';

interface Exchange {
  readonly method: string;
  readonly url: URL;
  /** The JSON-RPC message that was posted, if any. */
  readonly message: { readonly method?: string; readonly params?: { readonly name?: string } } | undefined;
  readonly response: Response;
}

/** A `fetch` that narrates what passes through it. */
export function narrate(narrator: Narrator): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const step = await describe({
      method: init?.method ?? 'GET',
      url: new URL(input instanceof Request ? input.url : input),
      message: readMessage(init?.body),
      response,
    });
    if (step !== undefined) narrator.step(step);
    return response;
  };
}

/** Undefined for what a reader wouldn't miss. */
async function describe(exchange: Exchange): Promise<Step | undefined> {
  const { method, url, message, response } = exchange;
  const step = { request: `${method} ${url.href}`, status: response.status };
  if (url.pathname.includes('/oauth-protected-resource')) return { ...step, ...(await ofResource(response)) };
  if (url.pathname.includes('/oauth-authorization-server')) return { ...step, ...(await ofServer(response)) };
  if (url.pathname.endsWith('/reg')) return { ...step, ...(await ofRegistration(response)) };
  if (url.pathname.endsWith('/token')) return { ...step, ...(await ofToken(response)) };
  if (message?.method === 'notifications/initialized') return undefined;
  const name = [message?.method, message?.params?.name].filter((word) => word !== undefined).join(' ');
  return { ...step, request: `${step.request}  ${name}`.trimEnd(), ...ofCall(exchange) };
}

type Words = Pick<Step, 'shows' | 'says'>;

async function ofResource(response: Response): Promise<Words> {
  const { authorization_servers: servers, scopes_supported: scopes } = await read(response);
  return {
    shows: `authorization_servers: ${JSON.stringify(servers)}, scopes_supported: ${JSON.stringify(scopes)}`,
    says: 'The metadata of this route (RFC 9728) says who issues its tokens.',
  };
}

async function ofServer(response: Response): Promise<Words> {
  const { registration_endpoint: endpoint } = await read(response);
  return {
    shows: `registration_endpoint: ${String(endpoint)}`,
    says: 'The authorization server (RFC 8414) takes clients that it has never seen.',
  };
}

async function ofRegistration(response: Response): Promise<Words> {
  const { client_id: id } = await read(response);
  return { shows: `client_id: ${String(id)}`, says: 'The client registers itself (RFC 7591).' };
}

async function ofToken(response: Response): Promise<Words> {
  const { access_token: token } = await read(response);
  const { sub, aud, scope } = decodeJwt(String(token));
  return {
    shows: `access token for sub=${sub}, aud=${String(aud)}, scope=${String(scope)}`,
    says: 'The code and its PKCE verifier become a token that is good for this one resource (RFC 8707).',
  };
}

function ofCall({ method, message, response }: Exchange): Words {
  const challenge = response.headers.get('www-authenticate');
  if (challenge !== null) {
    const says = challenge.includes('invalid_token')
      ? "The signature doesn't fit: refused, and the MCP server saw nothing of it."
      : 'No token: refused, and told where to look.';
    return { shows: `WWW-Authenticate: ${challenge}`, says };
  }
  const type = `Content-Type: ${response.headers.get('content-type')}`;
  if (!response.ok) return { shows: type, says: 'This is not served.' };
  if (method === 'GET')
    return { shows: type, says: 'The stream for what the server says by itself stays open.' };
  const session = response.headers.get('mcp-session-id');
  if (message?.method === 'initialize') {
    return {
      shows: `Mcp-Session-Id: ${session}`,
      says: 'With the token the request reaches the MCP server, which opens a session.',
    };
  }
  return { shows: type, says: 'Allowed; the answer streams through as the server sends it.' };
}

async function read(response: Response): Promise<Record<string, unknown>> {
  return (await response.clone().json()) as Record<string, unknown>;
}

function readMessage(body: unknown): Exchange['message'] {
  if (typeof body !== 'string' || !body.startsWith('{')) return undefined;
  return JSON.parse(body) as Exchange['message'];
}
