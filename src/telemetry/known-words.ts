import { STATUS_CODES } from 'node:http';

/**
 * Label values come from these lists and from the configuration, never from a caller: everything else is `other`.
 * Methods of MCP 2024-11-05 to 2026-07-28.
 */
const rpcMethods = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
  'completion/complete',
  'logging/setLevel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tasks/cancel',
  'tasks/update',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/progress',
  'notifications/roots/list_changed',
]);

/** Of `status`: what HTTP has, and nginx's word for a client that left; of all else an upstream may invent the class. */
export function statusLabel(status: number): string {
  if (status in STATUS_CODES || status === 499) return String(status);
  return `${Math.floor(status / 100)}xx`;
}

const httpMethods = new Set(['GET', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PUT', 'PATCH']);

/** What a `User-Agent` of a known client begins with or holds, lower case. */
const clients: readonly (readonly [string, string])[] = [
  ['claude-code', 'claude-code'],
  ['claude', 'claude'],
  ['openai', 'chatgpt'],
  ['chatgpt', 'chatgpt'],
  ['vscode', 'vscode'],
  ['visual studio code', 'vscode'],
  ['cursor', 'cursor'],
  ['codex', 'codex'],
  ['copilot', 'copilot'],
  ['mcp-remote', 'mcp-remote'],
  ['inspector', 'inspector'],
  ['windsurf', 'windsurf'],
  ['zed/', 'zed'],
  ['python', 'python'],
  ['go-http-client', 'go'],
  ['okhttp', 'java'],
  ['java-http-client', 'java'],
  ['curl/', 'curl'],
  ['node', 'node'],
  ['mozilla/', 'browser'],
];

export function rpcMethodLabel(methods: readonly string[]): string {
  if (methods.length === 0) return 'none';
  if (methods.length > 1) return 'batch';
  return rpcMethods.has(methods[0] ?? '') ? (methods[0] ?? '') : 'other';
}

/** Of a batch several rules can be named, separated by commas: whoever wrote it chose the combination. */
export function ruleLabel(rule: string | undefined): string {
  if (rule === undefined) return 'none';
  return rule.includes(',') ? 'several' : rule;
}

export function httpMethodLabel(method: string): string {
  return httpMethods.has(method) ? method : 'other';
}

export function clientLabel(userAgent: string | undefined): string {
  if (userAgent === undefined) return 'none';
  const lower = userAgent.slice(0, 200).toLowerCase();
  return clients.find(([mark]) => lower.includes(mark))?.[1] ?? 'other';
}

/** More agents than any fleet has; beyond them a label is worked out anew each time. */
const maximumRemembered = 500;

/** The same, remembering what was worked out. */
export function rememberClientLabels(): typeof clientLabel {
  const known = new Map<string | undefined, string>();
  return (userAgent) => {
    const remembered = known.get(userAgent);
    if (remembered !== undefined) return remembered;
    const label = clientLabel(userAgent);
    if (known.size < maximumRemembered) known.set(userAgent, label);
    return label;
  };
}
