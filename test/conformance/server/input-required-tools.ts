import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
  type ClientCapabilities,
  type InputRequest,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { text } from './content-tools.ts';

/** What a `requestState` holds: which round its result belongs to. */
export interface Round {
  readonly round: number;
}

type Rounds = RequestStateCodec<Round>;

const nameSchema = z.object({ name: z.string() });
const okSchema = z.object({ ok: z.boolean() });
const colorSchema = z.object({ color: z.string() });

const askName = (message = 'What is your name?'): InputRequest =>
  inputRequired.elicit({ message, requestedSchema: nameSchema });
const askOk = (): InputRequest =>
  inputRequired.elicit({ message: 'Please confirm', requestedSchema: okSchema });
const sample = (question: string): InputRequest =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    maxTokens: 100,
  });

/** Tools of 2026-07-28 that ask inside their results (SEP-2322). */
export function addInputRequiredTools(server: McpServer, rounds: Rounds): void {
  addSingleQuestions(server);
  addQuestionsWithState(server, rounds);
  server.registerTool(
    'test_input_required_result_capabilities',
    { description: 'Asks only what the client declared that it answers' },
    ({ mcpReq }) => {
      // The SDK's type of the envelope has no members.
      const envelope = mcpReq.envelope as { readonly [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities };
      const { sampling, elicitation } = envelope[CLIENT_CAPABILITIES_META_KEY] ?? {};
      const inputRequests = {
        ...(sampling && { capital_question: sample('What is the capital of France?') }),
        ...(elicitation && { user_name: askName() }),
      };
      return inputRequired({ inputRequests });
    },
  );
}

function addSingleQuestions(server: McpServer): void {
  for (const name of ['test_input_required_result_elicitation', 'test_streaming_elicitation']) {
    server.registerTool(name, { description: 'Asks for a name' }, ({ mcpReq }) => {
      const accepted = acceptedContent(mcpReq.inputResponses, 'user_name', nameSchema);
      if (accepted === undefined) return inputRequired({ inputRequests: { user_name: askName() } });
      return text(`Hello, ${accepted.name}!`);
    });
  }
  for (const name of ['test_input_required_result_sampling', 'test_missing_capability']) {
    server.registerTool(name, { description: 'Asks for a completion' }, ({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'capital_question');
      if (answer.kind === 'sampling') return text(JSON.stringify(answer.result.content));
      return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?') } });
    });
  }
  server.registerTool(
    'test_input_required_result_list_roots',
    { description: "Asks for the client's roots" },
    ({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'client_roots');
      if (answer.kind === 'roots') return text(answer.roots.map(({ uri }) => uri).join(' '));
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    },
  );
}

function addQuestionsWithState(server: McpServer, rounds: Rounds): void {
  for (const name of [
    'test_input_required_result_request_state',
    'test_input_required_result_tampered_state',
  ]) {
    server.registerTool(name, { description: 'Asks with a sealed state' }, async ({ mcpReq }) => {
      const accepted = acceptedContent(mcpReq.inputResponses, 'confirm', okSchema);
      if (accepted !== undefined && mcpReq.requestState<Round>()?.round === 1) return text('state-ok');
      return inputRequired({
        inputRequests: { confirm: askOk() },
        requestState: await rounds.mint({ round: 1 }),
      });
    });
  }
  server.registerTool(
    'test_input_required_result_multiple_inputs',
    { description: 'Asks three things at a time' },
    async ({ mcpReq }) => {
      const kinds = ['user_name', 'greeting', 'client_roots'].map(
        (key) => inputResponse(mcpReq.inputResponses, key).kind,
      );
      if (!kinds.includes('missing')) return text(`answered: ${kinds.join(', ')}`);
      return inputRequired({
        inputRequests: {
          user_name: askName(),
          greeting: sample('Generate a greeting'),
          client_roots: inputRequired.listRoots(),
        },
        requestState: await rounds.mint({ round: 1 }),
      });
    },
  );
  server.registerTool(
    'test_input_required_result_multi_round',
    { description: 'Asks twice, one after the other' },
    (context) => askTwice(context, rounds),
  );
}

async function askTwice(
  { mcpReq }: ServerContext,
  rounds: Rounds,
): Promise<ReturnType<typeof inputRequired | typeof text>> {
  const round = mcpReq.requestState<Round>()?.round;
  const color = acceptedContent(mcpReq.inputResponses, 'step2', colorSchema);
  if (round === 2 && color !== undefined) return text(`The color is ${color.color}`);
  if (round === 1 && acceptedContent(mcpReq.inputResponses, 'step1', nameSchema) !== undefined) {
    const step2 = inputRequired.elicit({
      message: 'Step 2: What is your favorite color?',
      requestedSchema: colorSchema,
    });
    return inputRequired({ inputRequests: { step2 }, requestState: await rounds.mint({ round: 2 }) });
  }
  return inputRequired({
    inputRequests: { step1: askName('Step 1: What is your name?') },
    requestState: await rounds.mint({ round: 1 }),
  });
}
