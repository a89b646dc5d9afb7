/** P2: lists show what the caller may use, to real clients before real servers. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BridgeKind } from '../support/bridge-kinds.ts';
import { startModernServer } from '../support/modern-server.ts';
import {
  connectToBridge,
  connectV2ToBridge,
  startBridgeWorld,
  textOf,
  type BridgeWorld,
} from './bridge-world.ts';
import { json, startWorld, type World } from './world.ts';

const route = `policy: [
  { name: readers, tools: [echo, 'get-*'], prompts: [simple-prompt], resources: ['demo://resource/static/*'] },
  { name: writers, tools: [toggle-simulated-logging], scopes: [write] },
  { name: text, resources: ['demo://resource/dynamic/text/*'] },
  { name: admins, tools: [trigger-long-running-operation], when: 'call.arguments.steps < 3.0 && principal.subject == "root"' } ]`;

interface Listed {
  readonly tools: readonly string[];
  readonly prompts: readonly string[];
  readonly resources: readonly string[];
  readonly templates: readonly string[];
}

/** What either SDK's client can do here. */
interface Lister {
  listTools(): Promise<{ tools: readonly { name: string }[] }>;
  listPrompts(): Promise<{ prompts: readonly { name: string }[] }>;
  listResources(): Promise<{ resources: readonly { uri: string }[] }>;
  listResourceTemplates(): Promise<{ resourceTemplates: readonly { uriTemplate: string }[] }>;
}

async function listAll(client: Lister): Promise<Listed> {
  return {
    tools: (await client.listTools()).tools.map(({ name }) => name).toSorted(),
    prompts: (await client.listPrompts()).prompts.map(({ name }) => name),
    resources: (await client.listResources()).resources.map(({ uri }) => uri),
    templates: (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
  };
}

function expectForReaders(
  { tools, prompts, resources, templates }: Listed,
  more: readonly string[] = [],
): void {
  expect(tools).toEqual(expect.arrayContaining(['echo', 'get-sum', 'toggle-simulated-logging', ...more]));
  expect(tools.filter((name) => !/^(?:echo|get-.*|toggle-simulated-logging)$/.test(name))).toEqual(more);
  expect(prompts).toEqual(['simple-prompt']);
  expect(resources.length).toBeGreaterThan(0);
  for (const uri of resources) expect(uri).toMatch(/^demo:\/\/resource\/static\//);
  expect(templates).toEqual(['demo://resource/dynamic/text/{resourceId}']);
}

describe.each<BridgeKind>(['supergateway 3 stateful', 'supergateway 4 sse'])('before %s', (kind) => {
  let world: BridgeWorld;

  beforeAll(async () => {
    world = await startBridgeWorld(kind, { route });
  });

  afterAll(() => world?.close());

  it('a client of SDK v1 sees what it may use, and a hidden tool is unknown to it (P2)', async () => {
    await using session = await connectToBridge(world);
    expectForReaders(await listAll(session.client));
    expect(textOf(await session.client.callTool({ name: 'echo', arguments: { message: 'hi' } }))).toContain(
      'hi',
    );
    const hidden = session.client.callTool({
      name: 'trigger-long-running-operation',
      arguments: { steps: 1 },
    });
    await expect(hidden).rejects.toThrow(kind.endsWith('sse') ? /40300|not allowed/ : /Unknown tool/);
  });

  it('a client of SDK v2 sees the same, and one whom a rule may admit sees more (P2)', async () => {
    const client = await connectV2ToBridge(world);
    expectForReaders(await listAll(client));
    await client.close();
    await using root = await connectToBridge(world, 'root');
    expectForReaders(await listAll(root.client), ['trigger-long-running-operation']);
  });
});

it('a client of 2026-07-28 sees what it may use of a server of that revision (P2, C-052)', async () => {
  await using server = await startModernServer();
  await using world = await startWorld({
    yaml: ({ issuer }) => `
authorizationServers: [{ name: corp, issuer: '${issuer.url}' }]
routes: [{ name: tools, path: /mcp, policy: [{ name: counters, tools: [count] }], upstream: '${server.url}' }]
`,
  });
  const client = new Client(
    { name: 'lists', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  const headers = { authorization: `Bearer ${world.issuer.token()}` };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(world.resource), { requestInit: { headers } }),
  );
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['count']);
  await expect(client.callTool({ name: 'report', arguments: { text: '' } })).rejects.toThrow('Unknown tool');
  expect(textOf(await client.callTool({ name: 'count', arguments: { steps: 1, pauseMs: 0 } }))).toBe(
    'counted to 1',
  );
  await client.close();
});

describe('one server, several callers', () => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld({
      route: `access: optional, policy: [
        { name: all, tools: [search] },
        { name: eng, tools: ['deploy*'], when: '"eng" in principal.claims.groups && call.arguments.stage != "production"' },
        { name: late, tools: ['late*'], when: 'call.arguments.stage == "test" && "eng" in principal.claims.groups' },
        { name: editors, tools: ['edit*'], scopes: [edit] } ]`,
    });
    const names = ['search', 'deploy', 'late', 'edit_page', 'drop'];
    const tools = names.map((name) => ({ name, inputSchema: { maximum: 1 } }));
    world.upstream.answer(({ body }, response) => {
      const { id } = JSON.parse(body.toString()) as { readonly id: number };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { tools, nextCursor: 'page-2' } }));
    });
  });

  afterAll(() => world[Symbol.asyncDispose]());

  const seenBy = async (claims: Readonly<Record<string, unknown>> | undefined): Promise<unknown> => {
    const response = await world.ask({
      ...(claims === undefined ? {} : { token: world.issuer.token({ claims }) }),
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    });
    const { result } = json(response) as {
      readonly result: { readonly tools: readonly { readonly name: string }[]; readonly nextCursor: string };
    };
    expect(result.nextCursor).toBe('page-2');
    return result.tools.map(({ name }) => name);
  };

  it('each sees what some call of theirs may use, what lacks only scopes, and no more (P2, C-052)', async () => {
    const asked = [
      { groups: ['eng'] },
      { groups: ['ops'] },
      { groups: ['eng'], scope: 'edit' },
      { groups: ['ops'] },
    ];
    const answers: unknown[] = [];
    for (const claims of asked) answers.push(await seenBy(claims));
    expect(answers).toEqual([
      ['search', 'deploy', 'late', 'edit_page'],
      ['search', 'edit_page'],
      ['search', 'deploy', 'late', 'edit_page'],
      ['search', 'edit_page'],
    ]);
  });

  it('a caller without a token sees what a login could open (P2, A23)', async () => {
    expect(await seenBy(undefined)).toEqual(['search', 'deploy', 'late', 'edit_page']);
  });
});
