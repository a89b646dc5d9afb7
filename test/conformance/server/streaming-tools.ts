import { setTimeout as sleep } from 'node:timers/promises';
import type {
  ElicitRequestFormParams,
  McpServer,
  ServerContext,
  ServerNotifier,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { text } from './content-tools.ts';

const pauseMs = 50;

/** Tools that say something before their result: log lines, progress, requests to the client, a closed stream. */
export function addStreamingTools(server: McpServer, notify: ServerNotifier): void {
  for (const name of ['test_tool_with_logging', 'test_logging_tool']) {
    server.registerTool(name, { description: 'Logs three lines while it runs' }, logThrice);
  }
  server.registerTool(
    'test_tool_with_progress',
    { description: 'Reports progress at three steps' },
    reportProgress,
  );
  server.registerTool(
    'test_reconnection',
    { description: 'Closes the stream of its answer before the answer' },
    async ({ http }) => {
      http?.closeSSE?.();
      await sleep(2 * pauseMs);
      return text('Answered on the stream that was opened again');
    },
  );
  server.registerTool('test_trigger_tool_change', { description: 'Says that the tools changed' }, () => {
    notify.toolsChanged();
    return text('said');
  });
  server.registerTool('test_trigger_prompt_change', { description: 'Says that the prompts changed' }, () => {
    notify.promptsChanged();
    return text('said');
  });
}

/** Tools that ask the client on the stream, as revisions before 2026-07-28 do. */
export function addAskingTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    { description: 'Asks the client for a completion', inputSchema: z.object({ prompt: z.string() }) },
    async ({ prompt }, { mcpReq }) => {
      const { content } = await mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100,
      });
      return text(`LLM response: ${JSON.stringify(content)}`);
    },
  );
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user for name and address', inputSchema: z.object({ message: z.string() }) },
    ({ message }, context) => ask(context, { message, requestedSchema: userSchema }),
  );
  server.registerTool(
    'test_elicitation_sep1034_defaults',
    { description: 'Asks with a default for each primitive type' },
    (context) => ask(context, { message: 'Please review the fields', requestedSchema: defaultsSchema }),
  );
  server.registerTool(
    'test_elicitation_sep1330_enums',
    { description: 'Asks with each kind of enumeration' },
    (context) => ask(context, { message: 'Please choose', requestedSchema: enumsSchema }),
  );
}

async function logThrice({ mcpReq }: ServerContext): Promise<ReturnType<typeof text>> {
  await mcpReq.log('info', 'Tool execution started');
  await sleep(pauseMs);
  await mcpReq.log('info', 'Tool processing data');
  await sleep(pauseMs);
  await mcpReq.log('info', 'Tool execution completed');
  return text('logged three lines');
}

async function reportProgress({ mcpReq }: ServerContext): Promise<ReturnType<typeof text>> {
  const { _meta: meta } = mcpReq;
  const progressToken = meta?.progressToken;
  for (const progress of [0, 50, 100]) {
    if (progress > 0) await sleep(pauseMs);
    if (progressToken === undefined) continue;
    await mcpReq.notify({
      method: 'notifications/progress',
      params: { progressToken, progress, total: 100 },
    });
  }
  return text('reported three steps');
}

async function ask(
  { mcpReq }: ServerContext,
  question: ElicitRequestFormParams,
): Promise<ReturnType<typeof text>> {
  const { action, content } = await mcpReq.elicitInput(question);
  return text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`);
}

type FormSchema = ElicitRequestFormParams['requestedSchema'];

const userSchema: FormSchema = {
  type: 'object',
  properties: {
    username: { type: 'string', description: "User's response" },
    email: { type: 'string', description: "User's email address" },
  },
  required: ['username', 'email'],
};

const defaultsSchema: FormSchema = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

const options = ['option1', 'option2', 'option3'];
const titled = [
  { const: 'value1', title: 'First' },
  { const: 'value2', title: 'Second' },
  { const: 'value3', title: 'Third' },
];

const enumsSchema: FormSchema = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  },
};
