import type { JsonFault } from '../vocabulary/strict-json.ts';
import { readStrictJson } from '../vocabulary/strict-json.ts';
import { quote } from './describe.ts';
import { readResource } from './fields/web-address.ts';
import { valueAt } from './issues.ts';
import type { Path } from './path.ts';

export type VariableReading =
  | { readonly ok: true; readonly valueFor: (key: Path[number] | undefined) => unknown }
  | {
      readonly ok: false;
      readonly found: string;
      readonly expected: string;
      readonly hint?: string | undefined;
    };

/** A variable that says what keys of the file say, for the one route that the environment can hold. */
export interface RouteVariable {
  readonly name: string;
  /** The keys that it stands for. */
  readonly keys: readonly Path[];
  /** Whether a gateway can't start without it where there is no file. */
  readonly isNeeded: boolean;
  readonly expected: string;
  /** `text` isn't empty; `file` is what the file says. What it answers is still for the schema to check. */
  readonly read: (text: string, file: unknown) => VariableReading;
}

const route = (key: string): Path => ['routes', 0, key];

const expectedUrl = "the URL of the route's resource, such as https://mcp.example.com/mcp";
const expectedServers = 'a JSON list such as [{"issuer":"https://login.example.com/realms/corp"}]';
const expectedScopes = 'scopes with spaces between them, or from-authorization-server';

export const routeVariables: readonly RouteVariable[] = [
  {
    name: 'MCP_RESOURCE_SERVER_CANONICAL_URL',
    keys: [['publicUrl'], route('path'), route('resource')],
    isNeeded: true,
    expected: expectedUrl,
    read: readCanonicalUrl,
  },
  {
    name: 'MCP_RESOURCE_SERVER_AUTHORIZATION_SERVERS',
    keys: [['authorizationServers']],
    isNeeded: true,
    expected: expectedServers,
    read: readServers,
  },
  {
    name: 'MCP_RESOURCE_SERVER_SCOPES_SUPPORTED',
    keys: [route('scopesSupported')],
    isNeeded: false,
    expected: expectedScopes,
    read: readScopes,
  },
  {
    name: 'MCP_RESOURCE_SERVER_DEFAULT_CHALLENGE_SCOPES',
    keys: [route('challengeScopes')],
    isNeeded: false,
    expected: expectedScopes,
    read: readScopes,
  },
  {
    name: 'PORTCULLIS_UPSTREAM',
    keys: [route('upstream')],
    isNeeded: true,
    expected: 'the URL of the MCP server, such as http://localhost:8000/mcp',
    read: (text) => ({ ok: true, valueFor: () => text }),
  },
];

/** Origin, path and the whole are three keys of the file. */
function readCanonicalUrl(text: string, file: unknown): VariableReading {
  const address = readResource(text);
  if (!address.ok)
    return {
      ok: false,
      found: quote(text),
      expected: address.expected ?? expectedUrl,
      hint: address.hint,
    };
  const { origin, pathname } = new URL(address.value);
  return {
    ok: true,
    valueFor: (key) =>
      key === 'publicUrl' ? origin : key === 'path' ? belowBase(pathname, file) : address.value,
  };
}

/** A route's path stands below the base path of a public URL that the file has. */
function belowBase(pathname: string, file: unknown): string {
  const publicUrl = valueAt(file, ['publicUrl']);
  if (typeof publicUrl !== 'string' || !URL.canParse(publicUrl)) return pathname;
  const base = new URL(publicUrl).pathname.replace(/\/$/, '');
  if (pathname === base) return '/';
  return pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : pathname;
}

const jsonFaults: Readonly<Record<JsonFault, string>> = {
  not_utf8: 'text that has no UTF-8',
  not_json: "text that isn't JSON",
  too_deep: 'JSON nested too deeply',
  too_many: 'JSON with too many members',
  duplicate_member: 'JSON with a member that stands there twice',
};

/** The text is never told: someone may have written a secret into it. */
function readServers(text: string): VariableReading {
  const json = readStrictJson(Buffer.from(text));
  return json.ok
    ? { ok: true, valueFor: () => json.value }
    : { ok: false, found: jsonFaults[json.fault], expected: expectedServers };
}

function readScopes(text: string): VariableReading {
  const scopes = [...new Set(text.split(/ +/))];
  return {
    ok: true,
    valueFor: () => (text === 'from-authorization-server' ? text : scopes),
  };
}
