/** Each policy of the guide does what its first line says (P1). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { json, startWorld, type World } from './world.ts';

function startSnippet(name: string): Promise<World> {
  const text = readFileSync(new URL(`../../docs/snippets/policy-${name}.yaml`, import.meta.url), 'utf8');
  return startWorld({
    yaml: ({ issuer, upstream, publicUrl }) =>
      text
        .replace('https://mcp.example.com', publicUrl)
        .replace('https://login.example.com/realms/corp', issuer.url)
        .replace('http://localhost:8000/mcp', upstream.url),
  });
}

interface Caller {
  readonly scope?: string;
  readonly groups?: readonly string[];
  readonly email?: string;
}

/** What came of a call: `served`, `hidden`, or the status. Without a caller nobody is logged in. */
async function ask(world: World, method: string, params: object, caller?: Caller): Promise<string> {
  const { email, ...claims } = caller ?? {};
  const mail = email === undefined ? {} : { email, email_verified: true };
  const response = await world.ask({
    ...(caller === undefined ? {} : { token: world.issuer.token({ claims: { ...claims, ...mail } }) }),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  if (response.status !== 200) return String(response.status);
  return 'result' in (json(response) as object) ? 'served' : 'hidden';
}

const tool = (world: World, name: string, caller?: Caller, args: object = {}): Promise<string> =>
  ask(world, 'tools/call', { name, arguments: args }, caller);

describe('the policies of the guide', () => {
  it('reading for all, writing with a scope', async () => {
    await using world = await startSnippet('read-and-write');
    const reader = { scope: 'tracker:use' };
    expect(await tool(world, 'get_issue', reader)).toBe('served');
    expect(await tool(world, 'search', reader)).toBe('served');
    expect(await tool(world, 'create_issue', reader)).toBe('403');
    expect(await tool(world, 'create_issue', { scope: 'tracker:use tracker:write' })).toBe('served');
    expect(await tool(world, 'delete_issue', { scope: 'tracker:use tracker:write' })).toBe('hidden');
    expect(await tool(world, 'get_issue', { scope: 'tracker:write' })).toBe('403');
    expect(await tool(world, 'get_issue')).toBe('401');
  });

  it('by groups', async () => {
    await using world = await startSnippet('groups');
    const operator = { groups: ['operators'] };
    const support = { groups: ['support'], email: 'sam@example.com' };
    expect(await tool(world, 'delete_pod', operator)).toBe('served');
    expect(await ask(world, 'resources/read', { uri: 'file:///x' }, operator)).toBe('served');
    expect(await tool(world, 'get_pods', support)).toBe('served');
    expect(await tool(world, 'delete_pod', support)).toBe('hidden');
    expect(await tool(world, 'get_pods', { ...support, email: 'sam@evilexample.com' })).toBe('hidden');
    expect(await tool(world, 'get_pods', { groups: ['support'] })).toBe('hidden');
    expect(await tool(world, 'get_pods', {})).toBe('hidden');
  });

  it('public in parts', async () => {
    await using world = await startSnippet('public');
    expect(await tool(world, 'search')).toBe('served');
    expect(await tool(world, 'edit_page')).toBe('401');
    expect(await tool(world, 'drop_page')).toBe('hidden');
    expect(await tool(world, 'edit_page', { scope: 'docs:use' })).toBe('403');
    expect(await tool(world, 'edit_page', { scope: 'docs:use docs:edit' })).toBe('served');
  });

  it('by arguments', async () => {
    await using world = await startSnippet('arguments');
    const onCall = { groups: ['on-call'], scope: 'deploy:production' };
    const deploy = (stage: unknown, caller: Caller): Promise<string> =>
      tool(world, 'deploy', caller, { stage });
    expect(await deploy('staging', {})).toBe('served');
    expect(await deploy('production', {})).toBe('hidden');
    expect(await deploy('production', { groups: ['on-call'] })).toBe('403');
    expect(await deploy('production', onCall)).toBe('served');
    expect(await deploy(['staging'], onCall)).toBe('hidden');
    const readFile = (path: unknown): Promise<string> => tool(world, 'read_file', {}, { path });
    expect(await readFile('reports/2026.txt')).toBe('served');
    expect(await readFile('reports/../etc/passwd')).toBe('hidden');
    expect(await readFile('/etc/passwd')).toBe('hidden');
    expect(await readFile(undefined)).toBe('hidden');
  });

  it('prompts, resources and other methods', async () => {
    await using world = await startSnippet('resources');
    const read = (uri: string, caller: Caller = {}): Promise<string> =>
      ask(world, 'resources/read', { uri }, caller);
    expect(await ask(world, 'prompts/get', { name: 'onboarding_first_day' }, {})).toBe('served');
    expect(await ask(world, 'prompts/get', { name: 'salaries' }, {})).toBe('403');
    expect(await read('file:///handbook/holidays.md')).toBe('served');
    expect(await read('file:///handbook/../finance/salaries.csv')).toBe('403');
    expect(await read('file:///finance/salaries.csv')).toBe('403');
    expect(await read('file:///finance/salaries.csv', { scope: 'finance:read' })).toBe('served');
    expect(await ask(world, 'tasks/get', { taskId: 't' }, {})).toBe('served');
    expect(await tool(world, 'anything', {})).toBe('403');
  });
});
