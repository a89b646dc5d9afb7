/** What a message says that the headers of MCP 2026-07-28 must say too. */
export interface Repeated {
  readonly kind: 'request' | 'notification' | 'response';
  readonly method: string | undefined;
  /** The revision that `params._meta` names. */
  readonly revision: string | undefined;
  /** What `Mcp-Name` repeats; undefined where the method has no such member, or it holds no text. */
  readonly name: string | undefined;
}

/** Which member of `params` `Mcp-Name` repeats; the tasks' are of their extension (SEP-2663). */
const nameMembers: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

const revisionMember = 'io.modelcontextprotocol/protocolVersion';

/** What a parsed message says that its headers repeat. */
export function repeatedIn({ kind, method }: Pick<Repeated, 'kind' | 'method'>, value: unknown): Repeated {
  const member = nameMembers.get(method ?? '');
  const name = member === undefined ? undefined : memberOf(memberOf(value, 'params'), member);
  return { kind, method, revision: revisionIn(value), name: typeof name === 'string' ? name : undefined };
}

/** The revision that a parsed message claims for itself. */
export function revisionIn(value: unknown): string | undefined {
  const revision = memberOf(memberOf(memberOf(value, 'params'), '_meta'), revisionMember);
  return typeof revision === 'string' ? revision : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
