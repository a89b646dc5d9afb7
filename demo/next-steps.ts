import type { Narrator } from './narrator.ts';
import type { Aftermath } from './script.ts';
import type { World } from './world.ts';

/** A newer Inspector may have other flags. */
const inspector = '@modelcontextprotocol/inspector@2.12.0';

/** What a person can do while everything is up; each command works as it is pasted. */
export function printNextSteps(
  world: World,
  { accessToken, sessionId, protocolVersion }: Aftermath,
  narrator: Narrator,
): void {
  const call = {
    jsonrpc: '2.0',
    id: 'curl',
    method: 'tools/call',
    params: { name: 'echo', arguments: { message: 'hello' } },
  };
  const headers = [
    `Authorization: Bearer ${accessToken}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `Mcp-Session-Id: ${sessionId}`,
    `MCP-Protocol-Version: ${protocolVersion}`,
  ];
  const told: readonly (readonly [string, string])[] = [
    [
      'Call a tool, in the session from above (the token is good for an hour):',
      `curl -sS ${world.url} ${headers.map((header) => `-H '${header}'`).join(' ')} -d '${JSON.stringify(call)}'`,
    ],
    ['See a refusal:', `curl -i ${world.url}`],
    [
      'Look around with the MCP Inspector (connect, then sign in under any name):',
      `npx ${inspector} --server-url ${world.url} --transport http`,
    ],
    ['Read the metrics:', `curl -sS ${world.opsUrl}/metrics`],
    ["Read the gateway's configuration:", `cat ${world.configFile}`],
  ];
  narrator.heading('Everything stays up. Next');
  for (const [what, command] of told) {
    narrator.line();
    narrator.line(what);
    narrator.line(`  ${command}`);
  }
  narrator.line();
  narrator.line('Ctrl-C ends it all.');
}
