import type { Message } from '../vocabulary/call.ts';
import type { TargetKind } from './methods.ts';
import { isPlainUri } from './plain-uri.ts';
import type { UnknownPart } from './relax.ts';

/** What a rule is asked about. */
export interface Question {
  readonly method: string;
  /** What the call is about; undefined: about nothing that has a name. */
  readonly kind: TargetKind | undefined;
  /** Its name or URI; empty where there is no kind. */
  readonly target: string;
  /** `params.arguments` of a tool or prompt; undefined where there are none. */
  readonly arguments: unknown;
  /**
   * Only where nobody has made the call yet: what isn't known of it. The question is then whether any such call could be admitted.
   * Of a resource `target` is the template of its URIs.
   */
  readonly unknown?: UnknownPart;
}

/** A message that doesn't say what it is about; no rule can admit it. */
export interface Unreadable {
  readonly method: string;
  readonly kind: TargetKind | undefined;
  readonly says: string;
}

/** Each is judged by itself, and one body has room for hundreds of thousands. */
const maximumSubscriptions = 100;

type Asking = Question | Unreadable;

/**
 * What a message asks for, one question for each thing it names; all of them must be admitted. `value` is the message as
 * it was parsed. A response asks for nothing.
 */
export function questionsOf(message: Message, value: unknown): readonly Asking[] {
  if (message.kind === 'response') return [];
  const { method, target } = message;
  const params = memberOf(value, 'params');
  switch (method) {
    case 'tools/call':
      return [about('tool', { method, target, arguments: memberOf(params, 'arguments') })];
    case 'prompts/get':
      return [about('prompt', { method, target, arguments: memberOf(params, 'arguments') })];
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return [about('resource', { method, target })];
    case 'completion/complete':
      return [ofCompletion(method, target, params)];
    case 'subscriptions/listen':
      return ofSubscriptions(method, params);
    default:
      return [{ method, kind: undefined, target: '', arguments: undefined }];
  }
}

interface Named {
  readonly method: string;
  readonly target: unknown;
  readonly arguments?: unknown;
}

function about(kind: TargetKind, { method, target, arguments: given }: Named): Asking {
  if (typeof target !== 'string' || target === '')
    return { method, kind, says: `${method} doesn't name a ${kind}` };
  if (kind === 'resource' && !isPlainUri(target))
    return { method, kind, says: 'the URI has dot segments or control characters' };
  return { method, kind, target, arguments: given };
}

/** MCP 2025-11-25, Completion: `ref` says what kind it is. */
function ofCompletion(method: string, target: unknown, params: unknown): Asking {
  const type = memberOf(memberOf(params, 'ref'), 'type');
  if (type === 'ref/prompt') return about('prompt', { method, target });
  if (type === 'ref/resource') return about('resource', { method, target });
  return { method, kind: undefined, says: `${method} has a ref of no known type` };
}

/** MCP 2026-07-28, Subscriptions: whoever hears of a change of a resource knows as much as a reader. */
function ofSubscriptions(method: string, params: unknown): readonly Asking[] {
  const uris = memberOf(memberOf(params, 'notifications'), 'resourceSubscriptions');
  if (uris === undefined) return [{ method, kind: undefined, target: '', arguments: undefined }];
  if (!Array.isArray(uris) || uris.length > maximumSubscriptions)
    return [
      {
        method,
        kind: 'resource',
        says: `resourceSubscriptions isn't a list of up to ${maximumSubscriptions}`,
      },
    ];
  if (uris.length === 0) return [{ method, kind: undefined, target: '', arguments: undefined }];
  return uris.map((uri: unknown) => about('resource', { method, target: uri }));
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
