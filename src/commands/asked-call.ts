import { readMessage } from '../mcp/read-message.ts';
import type { ReadMessage } from '../mcp/read-message.ts';

/** A call as the command line describes it. */
export interface AskedCall {
  /** Without it, the one that the name goes with. */
  readonly method: string | undefined;
  readonly tool: string | undefined;
  readonly prompt: string | undefined;
  readonly resource: string | undefined;
  /** JSON text. */
  readonly arguments: string | undefined;
}

/** The call as a client would send it, read as the gateway reads it; or what is wrong with the question. */
export function readAskedCall(asked: AskedCall): ReadMessage | string {
  const given = [asked.tool, asked.prompt, asked.resource].filter((name) => name !== undefined);
  if (given.length > 1) return 'a call is about one thing: give one of --tool, --prompt and --resource';
  const method = asked.method ?? usualMethod(asked);
  if (method === undefined) return 'give --method, or one of --tool, --prompt and --resource';
  const values = argumentsIn(asked.arguments);
  if (typeof values === 'string') return values;
  const params = { ...targetIn(method, asked), ...values };
  const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  return readMessage(bytes);
}

function usualMethod({ tool, prompt, resource }: AskedCall): string | undefined {
  if (tool !== undefined) return 'tools/call';
  if (prompt !== undefined) return 'prompts/get';
  return resource === undefined ? undefined : 'resources/read';
}

function targetIn(method: string, { tool, prompt, resource }: AskedCall): object {
  if (method === 'completion/complete') {
    const ref =
      prompt === undefined ? { type: 'ref/resource', uri: resource } : { type: 'ref/prompt', name: prompt };
    return { ref };
  }
  if (method === 'subscriptions/listen')
    return resource === undefined ? {} : { notifications: { resourceSubscriptions: [resource] } };
  return { name: tool ?? prompt, uri: resource };
}

function argumentsIn(text: string | undefined): object | string {
  if (text === undefined) return {};
  try {
    return { arguments: JSON.parse(text) as unknown };
  } catch {
    return 'the arguments are no JSON';
  }
}
