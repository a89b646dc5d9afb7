/** The parts of the demo, all real, all on loopback: authorization server, MCP server behind a bridge, gateway. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAuthorizationServer, type AuthorizationServer } from '../test/support/authorization-server.ts';
import { startBridge, type Bridge } from '../test/support/bridge.ts';
import { startChild, type Child } from '../test/support/child-process.ts';
import { host, reserveFreePort } from '../test/support/loopback.ts';

export interface World {
  /** What clients are given. */
  readonly url: string;
  readonly opsUrl: string;
  readonly configFile: string;
  readonly authorizationServer: AuthorizationServer;
  readonly bridge: Bridge;
  readonly gateway: Child;
}

const gatewayEntry = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Starts everything; each part is handed to `stack` as soon as it runs, so that nothing outlives the demo. */
export async function startWorld(gatewayPort: number, stack: AsyncDisposableStack): Promise<World> {
  const [authorizationServer, bridge] = await Promise.all([
    startAuthorizationServer({ scopes: ['mcp:use'] }).then((server) => stack.use(server)),
    startBridge().then((started) => stack.use(started)),
  ]);
  const publicUrl = `http://${host}:${gatewayPort}`;
  const opsPort = await reserveFreePort();
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-demo-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const configFile = join(folder, 'config.yaml');
  await writeFile(
    configFile,
    `# Written by the demo, and gone when it ends.
publicUrl: ${publicUrl}
listen: { host: 127.0.0.1, port: ${gatewayPort} }
ops: { host: 127.0.0.1, port: ${opsPort} }
authorizationServers:
  - name: demo
    issuer: ${authorizationServer.issuer}
routes:
  - name: everything
    path: /mcp
    scopes: [mcp:use]
    scopesSupported: [mcp:use]
    upstream: ${bridge.url}
`,
  );
  const opsUrl = `http://${host}:${opsPort}`;
  const gateway = stack.use(
    await startChild({
      name: 'the gateway',
      args: [gatewayEntry, 'serve', '--config', configFile],
      readyUrl: `${opsUrl}/readyz`,
    }),
  );
  return { url: `${publicUrl}/mcp`, opsUrl, configFile, authorizationServer, bridge, gateway };
}
