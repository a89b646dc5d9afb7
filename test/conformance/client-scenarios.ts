import {
  Client,
  SdkError,
  SdkErrorCode,
  type CallToolResult,
  type ClientOptions,
  type StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';

/** What a client does in one scenario, once it is connected. */
export interface ClientScenario {
  readonly capabilities?: ClientOptions['capabilities'];
  /** Before it connects. */
  readonly prepare?: (client: Client) => void;
  readonly act: (client: Client, context: Context) => Promise<unknown>;
}

/** What the suite hands to the client besides the address. */
export interface Context {
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: Record<string, unknown> }[];
}

const listTools: ClientScenario['act'] = (client) => client.listTools();

/** Calls the named tools, one after the other, without arguments. */
function calling(...names: readonly string[]): ClientScenario['act'] {
  return async (client) => {
    const offered = (await client.listTools()).tools.map(({ name }) => name);
    for (const name of names) {
      if (!offered.includes(name)) throw new Error(`no tool ${name} among ${offered.join(', ')}`);
      await client.callTool({ name, arguments: {} });
    }
  };
}

/** By the suite's names: those of its client scenarios that don't test the client's own OAuth. */
export const clientScenarios: Readonly<Record<string, ClientScenario>> = {
  initialize: { act: listTools },
  tools_call: {
    async act(client) {
      await client.listTools();
      return client.callTool({ name: 'add_numbers', arguments: { a: 5, b: 3 } });
    },
  },
  'elicitation-sep1034-client-defaults': {
    capabilities: { elicitation: { form: { applyDefaults: true } } },
    prepare: acceptEverything({}),
    act: calling('test_client_elicitation_defaults'),
  },
  'sse-retry': { act: calling('test_reconnection') },
  'json-schema-2020-12-preservation': {
    async act(client) {
      const { tools } = await client.listTools();
      const schema = tools.find(({ name }) => name === 'json_schema_2020_12_tool')?.inputSchema;
      return client.callTool({ name: 'json_schema_echo', arguments: { schema } });
    },
  },
  'request-metadata': {
    capabilities: { roots: {}, sampling: {}, elicitation: {} },
    act: listTools,
  },
  'sep-2322-client-request-state': {
    capabilities: { elicitation: {} },
    prepare: acceptEverything({ confirmed: true }),
    async act(client, context) {
      await calling('test_mrtr_echo_state', 'test_mrtr_unrelated', 'test_mrtr_no_state')(client, context);
      try {
        await calling('test_mrtr_no_result_type')(client, context);
      } catch (error) {
        // The SDK refuses a result without `resultType`; the suite looks only whether the client asks again.
        if (!(error instanceof SdkError && error.code === SdkErrorCode.InvalidResult)) throw error;
      }
    },
  },
  'http-standard-headers': { act: useEverything },
  'http-custom-headers': {
    async act(client, { toolCalls = [] }) {
      await client.listTools();
      for (const call of toolCalls) await client.callTool(call);
    },
  },
  'http-invalid-tool-headers': { act: callAllOffered },
  'json-schema-ref-no-deref': { act: listTools },
};

function acceptEverything(content: Record<string, string | boolean>): (client: Client) => void {
  return (client) => {
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content }));
  };
}

async function useEverything(client: Client): Promise<void> {
  for (const { name } of (await client.listTools()).tools) await client.callTool({ name, arguments: {} });
  for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
  for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name });
}

/** Of the offered tools the client itself leaves out the malformed ones. */
async function callAllOffered(client: Client): Promise<readonly CallToolResult[]> {
  const results: CallToolResult[] = [];
  for (const { name } of (await client.listTools()).tools) {
    results.push(await client.callTool({ name, arguments: { region: 'us-west1' } }));
  }
  return results;
}

/** Connects as the revision demands and acts; closes everything. */
export async function playScenario(
  scenario: ClientScenario,
  transport: StreamableHTTPClientTransport,
  { revision, context }: { readonly revision: string; readonly context: Context },
): Promise<void> {
  const client = new Client(
    { name: 'conformance-client', version: '1.0.0' },
    {
      ...(scenario.capabilities && { capabilities: scenario.capabilities }),
      ...(revision === '2026-07-28'
        ? { versionNegotiation: { mode: { pin: revision } } }
        : { supportedProtocolVersions: [revision] }),
    },
  );
  scenario.prepare?.(client);
  await client.connect(transport);
  try {
    await scenario.act(client, context);
  } finally {
    await client.close();
  }
}
