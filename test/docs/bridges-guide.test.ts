/** The guide to bridges tells operators to run what the tests run. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bridgeFlags, type BridgeKind } from '../support/bridge-kinds.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const guide = read('docs/guides/bridges.md');
const { devDependencies } = JSON.parse(read('package.json')) as {
  readonly devDependencies: Readonly<Record<string, string>>;
};
const commands = [...guide.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
  block.trimEnd().split('\n'),
);

/** Without the port, which is the operator's. */
function commandFor(kind: BridgeKind): string {
  const flags = bridgeFlags[kind].join(' ');
  const server = 'npx mcp-server-everything';
  if (kind.startsWith('everything')) return `PORT=… ${server} ${flags}`;
  if (kind.startsWith('mcp-proxy'))
    return `npx mcp-proxy@${devDependencies['mcp-proxy']} ${flags} --port … -- ${server} stdio`;
  const version = devDependencies[kind.startsWith('supergateway 3') ? 'supergateway' : 'supergateway4'];
  return `npx supergateway@${version?.replace(/^.*@/, '')} --stdio '${server} stdio' ${flags} --port …`;
}

describe('the guide to bridges', () => {
  it('shows the commands of the contract tests, version and flags, and no other', () => {
    const shown = commands.map((command) => command.replace(/(PORT=|--port )\d+/, '$1…'));
    expect(shown.toSorted()).toEqual((Object.keys(bridgeFlags) as BridgeKind[]).map(commandFor).toSorted());
  });

  it('shows its snippet as it is', () => {
    expect(guide).toContain(`\`\`\`yaml\n${read('docs/snippets/bridges.yaml')}\`\`\`\n`);
  });
});
