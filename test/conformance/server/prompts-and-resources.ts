import {
  acceptedContent,
  completable,
  inputRequired,
  ResourceTemplate,
  type GetPromptResult,
  type McpServer,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { png } from './samples.ts';

type Content = GetPromptResult['messages'][number]['content'];

function say(...contents: readonly Content[]): GetPromptResult {
  return { messages: contents.map((content) => ({ role: 'user', content })) };
}

export function addPrompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'Says one sentence' }, () =>
    say({ type: 'text', text: 'This is a simple prompt for testing.' }),
  );
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'Says its arguments',
      argsSchema: z.object({
        arg1: completable(z.string(), (value) => [`${value}Value1`, `${value}Value2`]),
        arg2: z.string(),
      }),
    },
    ({ arg1, arg2 }) => say({ type: 'text', text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Carries a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) =>
      say(
        {
          type: 'resource',
          resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
        },
        { type: 'text', text: 'Please process the embedded resource above.' },
      ),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'Carries an image' }, () =>
    say({ type: 'image', ...png }, { type: 'text', text: 'Please analyze the image above.' }),
  );
}

/** A prompt of 2026-07-28 that asks inside its result (SEP-2322). */
export function addInputRequiredPrompt(server: McpServer): void {
  const contextSchema = z.object({ context: z.string() });
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Asks for a context' },
    ({ mcpReq }) => {
      const accepted = acceptedContent(mcpReq.inputResponses, 'user_context', contextSchema);
      if (accepted !== undefined) return say({ type: 'text', text: accepted.context });
      const question = { message: 'What context should the prompt use?', requestedSchema: contextSchema };
      return inputRequired({ inputRequests: { user_context: inputRequired.elicit(question) } });
    },
  );
}

export function addResources(server: McpServer): void {
  const plain = { description: 'A text', mimeType: 'text/plain' };
  server.registerResource('static-text', 'test://static-text', plain, ({ href }) => ({
    contents: [
      { uri: href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
    ],
  }));
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'An image', mimeType: png.mimeType },
    ({ href }) => ({ contents: [{ uri: href, mimeType: png.mimeType, blob: png.data }] }),
  );
  server.registerResource('watched', 'test://watched-resource', plain, ({ href }) => ({
    contents: [{ uri: href, mimeType: 'text/plain', text: 'Watched resource content' }],
  }));
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'A text for each id', mimeType: 'application/json' },
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
}

/** `resources/subscribe` and `resources/unsubscribe`, which end with 2025-11-25. */
export function acceptSubscriptions(server: McpServer): void {
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
}
