import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { reserveFreePort } from '../../test/support/loopback.ts';
import { startIssuer } from '../issuer.ts';
import type { Issuer } from '../issuer.ts';
import { benchFile, startNode } from '../node-process.ts';
import type { NodeProcess } from '../node-process.ts';
import { probe } from '../probe.ts';
import type { Contestant, Ground } from './contestant.ts';

interface Ports {
  readonly listen: number;
  readonly ops: number;
  readonly issuer: number;
}

const readyLimitMillis = 20_000;
const stopLimitMillis = 25_000;

/** Portcullis from dist/ in its default configuration: one required route, request log and audit each to a file. */
export function startGateway(ground: Ground): Promise<Contestant> {
  return startGatewayWith(ground, {});
}

/** What a measurement needs besides the default configuration, in YAML's flow style. */
export interface GatewayChanges {
  /** Further routes. */
  readonly routes?: readonly string[];
  /** Of the authorization server's `keys`. */
  readonly keys?: string;
}

export interface GatewayContestant extends Contestant {
  readonly issuer: Issuer;
  readonly opsUrl: string;
  /** From the start of its process until it said that it is ready. */
  readonly readyMillis: number;
}

export async function startGatewayWith(ground: Ground, changes: GatewayChanges): Promise<GatewayContestant> {
  const script = benchFile('../dist/main.js');
  if (!existsSync(script)) throw new Error('dist/main.js is missing: npm run build');

  const issuer = await startIssuer();
  const ports = { listen: await reserveFreePort(), ops: await reserveFreePort(), issuer: issuer.port };
  const files = {
    config: join(ground.folder, 'gateway.yaml'),
    log: join(ground.folder, 'gateway.log'),
    audit: join(ground.folder, 'audit.log'),
  };
  writeFileSync(
    files.config,
    describeConfig({ ports, upstreamUrl: ground.upstreamUrl, auditFile: files.audit, changes }),
  );
  const began = performance.now();
  const started = startNode({
    name: 'gateway',
    script,
    args: ['serve', '--config', files.config],
    cpuSource: ground.cpuSource,
    nodeArgs: ground.nodeArgs,
    stdoutFile: files.log,
  });
  const url = `http://localhost:${ports.listen}/mcp`;
  const opsUrl = `http://127.0.0.1:${ports.ops}`;
  let readyMillis: number;
  try {
    await waitUntilReady(started, `${opsUrl}/readyz`, files.log);
    readyMillis = performance.now() - began;
    await expectGuarded(url);
  } catch (error) {
    issuer.close();
    await started.stop(stopLimitMillis);
    throw error;
  }
  return {
    name: 'gateway',
    issuer,
    opsUrl,
    readyMillis,
    url,
    headers: { Authorization: `Bearer ${await issuer.mintToken(url)}` },
    process: started,
    checkRound: async (answered) => {
      await expectLines(files.log, answered);
      await expectLines(files.audit, answered);
    },
    stop: async () => {
      issuer.close();
      await started.stop(stopLimitMillis);
    },
  };
}

interface ConfigParts {
  readonly ports: Ports;
  readonly upstreamUrl: string;
  readonly auditFile: string;
  readonly changes: GatewayChanges;
}

function describeConfig({ ports, upstreamUrl, auditFile, changes }: ConfigParts): string {
  return `publicUrl: http://localhost:${ports.listen}
listen: { host: 127.0.0.1, port: ${ports.listen} }
ops: { host: 127.0.0.1, port: ${ports.ops} }
log: { level: info, audit: { file: ${JSON.stringify(auditFile)} } }
authorizationServers:
  - issuer: http://localhost:${ports.issuer}
    discovery: off
    jwksUri: http://localhost:${ports.issuer}/jwks
${changes.keys === undefined ? '' : `    keys: ${changes.keys}\n`}routes:
  - path: /mcp
    upstream: ${upstreamUrl}
${(changes.routes ?? []).map((route) => `  - ${route}\n`).join('')}`;
}

async function waitUntilReady(started: NodeProcess, readyUrl: string, logFile: string): Promise<void> {
  const deadline = Date.now() + readyLimitMillis;
  while (!started.hasEnded() && Date.now() < deadline) {
    const ready = await fetch(readyUrl).catch(() => undefined);
    await ready?.body?.cancel();
    if (ready?.ok === true) return;
    await setTimeout(5);
  }
  const log = readFileSync(logFile, 'utf8').slice(-4000);
  throw new Error(`the gateway didn't get ready at ${readyUrl}: ${started.lastWords()}\n${log}`);
}

/** An open gateway would be fast for the wrong reason. */
async function expectGuarded(url: string): Promise<void> {
  const answer = await probe({ url, headers: {} });
  if (answer.status !== 401)
    throw new Error(`the gateway answered ${answer.status} to a call without a token`);
}

/** A gateway that drops log lines would be fast for the wrong reason. Empties the file for the next round. */
async function expectLines(file: string, answered: number): Promise<void> {
  let lines = 0;
  for (let attempt = 0; attempt < 20; attempt += 1) {
    lines = countLines(readFileSync(file));
    // The rest may still be in the writer's buffer, a few kilobytes.
    if (lines >= answered * 0.98) return truncateSync(file);
    await setTimeout(100);
  }
  throw new Error(`${file} got ${lines} lines for ${answered} answers`);
}

function countLines(text: Buffer): number {
  let count = 0;
  for (let end = text.indexOf(0x0a); end !== -1; end = text.indexOf(0x0a, end + 1)) count += 1;
  return count;
}
