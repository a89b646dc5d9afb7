/** What a call may be about. */
export type TargetKind = 'tool' | 'prompt' | 'resource';

/**
 * The requests of MCP 2024-11-05 to 2026-07-28 that need a rule, each with what it may be about. What isn't among them needs a rule
 * that names it.
 */
export const knownMethods: ReadonlyMap<string, readonly TargetKind[]> = new Map<
  string,
  readonly TargetKind[]
>([
  ['tools/call', ['tool']],
  ['prompts/get', ['prompt']],
  ['resources/read', ['resource']],
  ['resources/subscribe', ['resource']],
  ['resources/unsubscribe', ['resource']],
  ['subscriptions/listen', ['resource']],
  ['completion/complete', ['prompt', 'resource']],
  ['logging/setLevel', []],
  ['tasks/get', []],
  ['tasks/list', []],
  ['tasks/result', []],
  ['tasks/cancel', []],
  ['tasks/update', []],
]);

const needless = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]);

/** What every session needs and no rule has to allow: the handshake, signs of life, notifications, and lists. */
export function needsNoRule(method: string): boolean {
  return needless.has(method) || method.startsWith('notifications/');
}
