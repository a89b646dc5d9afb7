import { existsSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

import { reserveFreePort } from '../../test/support/loopback.ts';
import { smallCall } from '../exchange.ts';
import type { Issuer } from '../issuer.ts';
import { startNode } from '../node-process.ts';
import type { NodeProcess } from '../node-process.ts';
import type { MeasuredProcess } from '../measured-process.ts';
import { probe } from '../probe.ts';
import type { Contestant, Ground } from './contestant.ts';

interface Ports {
  readonly listen: number;
  readonly ops: number;
}

const readyLimitMillis = 20_000;
const stopLimitMillis = 25_000;

/** Portcullis as the image runs it, in its default configuration: one required route, request log and audit each to a file. */
export function startGateway(ground: Ground): Promise<Contestant> {
  return startGatewayWith(ground, {});
}

/** What a measurement needs besides the default configuration, in YAML's flow style. */
export interface GatewayChanges {
  /** Further routes. */
  readonly routes?: readonly string[];
  /** Of the authorization server's `keys`. */
  readonly keys?: string;
  /** Keys of the top level. */
  readonly top?: readonly string[];
  /** Of another replica, which clients know both by. */
  readonly publicUrl?: string;
}

export interface GatewayContestant extends Contestant {
  readonly process: NodeProcess;
  readonly issuer: Issuer;
  readonly publicUrl: string;
  readonly opsUrl: string;
  /** From the start of its process until it said that it is ready. */
  readonly readyMillis: number;
}

export async function startGatewayWith(ground: Ground, changes: GatewayChanges): Promise<GatewayContestant> {
  const { issuer, program: script } = ground;
  if (!existsSync(script)) throw new Error(`${script} is missing: npm run bundle`);
  const ports = { listen: await reserveFreePort(), ops: await reserveFreePort() };
  const publicUrl = changes.publicUrl ?? `http://localhost:${ports.listen}`;
  const folder = mkdtempSync(join(ground.folder, 'gateway-'));
  const files = {
    config: join(folder, 'gateway.yaml'),
    log: join(folder, 'gateway.log'),
    audit: join(folder, 'audit.log'),
  };
  writeFileSync(files.config, describeConfig({ ports, publicUrl, ground, auditFile: files.audit, changes }));
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
    await started.stop(stopLimitMillis);
    throw error;
  }
  return {
    name: 'gateway',
    runtime: 'node',
    issuer,
    publicUrl,
    opsUrl,
    readyMillis,
    url,
    headers: { Authorization: `Bearer ${await issuer.mintToken(`${publicUrl}/mcp`)}` },
    exchange: smallCall,
    process: started,
    checkRound: async (answered) => {
      await expectLines(files.log, answered);
      await expectLines(files.audit, answered);
    },
    stop: () => started.stop(stopLimitMillis),
  };
}

interface ConfigParts {
  readonly ports: Ports;
  readonly publicUrl: string;
  readonly ground: Ground;
  readonly auditFile: string;
  readonly changes: GatewayChanges;
}

function describeConfig({ ports, publicUrl, ground, auditFile, changes }: ConfigParts): string {
  const { issuer } = ground.issuer;
  return `publicUrl: ${publicUrl}
listen: { host: 127.0.0.1, port: ${ports.listen} }
ops: { host: 127.0.0.1, port: ${ports.ops} }
log: { level: info, audit: { file: ${JSON.stringify(auditFile)} } }
${(changes.top ?? []).map((line) => `${line}\n`).join('')}authorizationServers:
  - issuer: ${issuer}
    discovery: off
    jwksUri: ${issuer}/jwks
${changes.keys === undefined ? '' : `    keys: ${changes.keys}\n`}routes:
  - path: /mcp
    upstream: ${ground.upstreamUrl}
${(changes.routes ?? []).map((route) => `  - ${route}\n`).join('')}`;
}

async function waitUntilReady(started: MeasuredProcess, readyUrl: string, logFile: string): Promise<void> {
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
  const answer = await probe({ url, headers: {}, exchange: smallCall });
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
