/** The real gateway, in this process, from YAML text. */
import { readFileSync } from 'node:fs';
import { loadConfiguration } from '../../src/config/load.ts';
import { formatFaults } from '../../src/config/faults.ts';
import { createGateway, type ReloadOutcome, type routeStages } from '../../src/gateway.ts';
import type { Injected } from '../../src/running/foundation.ts';
import type { Ports } from '../../src/vocabulary/ports.ts';
import { eventually, host, reserveFreePort } from './loopback.ts';
import { allowConfigured } from './outbound-connections.ts';

export interface RunningGateway extends AsyncDisposable {
  /** The public URL: `http://localhost:<port>`. */
  readonly url: string;
  readonly port: number;
  readonly opsUrl: string;
  /** Lines of the log so far, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Audit events so far, parsed. */
  readonly audit: readonly AuditEvent[];
  /** All that was written to log and audit, as text. */
  readonly written: string;
  /** The n-th audit event (1 is the first) that fits. */
  auditEvent(fits: (event: AuditEvent) => boolean, n?: number): Promise<AuditEvent>;
  /** Puts another text in force, with the same addresses and environment. */
  reload(yaml: string): Promise<ReloadOutcome>;
  close(): Promise<void>;
}

export interface AuditEvent extends Readonly<Record<string, unknown>> {
  readonly requestId: string;
  readonly decision: string;
  readonly reason: string;
  readonly status: number;
}

export interface GatewayOptions {
  readonly clock?: Ports['clock'];
  readonly fetch?: Ports['fetch'];
  readonly credentials?: Injected['credentials'];
  readonly state?: Injected['state'];
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** For a configuration that names other addresses itself; default: free ones on loopback. */
  readonly port?: number;
  /** Don't wait until every authorization server has been asked. */
  readonly when?: 'listening' | 'ready';
  /** In place of the stages of a guarded route, to break them. */
  readonly stages?: typeof routeStages;
}

/**
 * Starts the gateway with `publicUrl: http://localhost:<free port>` and free loopback ports, unless the text
 * has those keys itself.
 */
export async function startGateway(yaml: string, options: GatewayOptions = {}): Promise<RunningGateway> {
  const port = options.port ?? (await reserveFreePort());
  const url = `http://${host}:${port}`;
  const log: string[] = [];
  const audit: string[] = [];
  const addresses = { url, port, opsPort: await reserveFreePort() };
  const text = withAddresses(yaml, addresses);
  allowConfigured(text);
  const configuration = load(text, options);
  const ports: Partial<Ports> & Injected = {
    ...(options.credentials && { credentials: options.credentials }),
    ...(options.state && { state: options.state }),
    ...(options.clock && { clock: options.clock }),
    ...(options.fetch && { fetch: options.fetch }),
    logSink: { write: (line) => void log.push(line) },
    auditSink: { write: (line) => void audit.push(line) },
  };
  const gateway = createGateway(configuration, ports, options.stages);
  const { opsAddress } = await gateway.start();
  if (options.when !== 'listening') await gateway.ready;
  const events = (): AuditEvent[] => parse(audit) as AuditEvent[];
  return {
    url,
    port,
    opsUrl: opsAddress,
    get log() {
      return parse(log);
    },
    get audit() {
      return events();
    },
    get written() {
      return [...log, ...audit].join('');
    },
    async auditEvent(fits, n = 1) {
      await eventually(`audit event ${n} that fits`, () => events().filter(fits).length >= n);
      return events().filter(fits)[n - 1] as AuditEvent;
    },
    reload: (changed) => gateway.reload(load(withAddresses(changed, addresses), options)),
    close: () => gateway.close(),
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}

function withAddresses(
  yaml: string,
  { url, port, opsPort }: { url: string; port: number; opsPort: number },
): string {
  const given = [
    ['publicUrl', url],
    ['listen', `{ host: 127.0.0.1, port: ${port} }`],
    ['ops', `{ host: 127.0.0.1, port: ${opsPort} }`],
  ] as const;
  const missing = given.filter(([key]) => !new RegExp(`^${key}:`, 'm').test(yaml));
  return `${missing.map(([key, value]) => `${key}: ${value}\n`).join('')}${yaml}`;
}

function load(
  yaml: string,
  { environment = {}, credentials = {} }: GatewayOptions,
): Parameters<typeof createGateway>[0] {
  const file = 'test.yaml';
  const loaded = loadConfiguration(yaml, {
    file,
    environment,
    readFile: (path) => readFileSync(path, 'utf8'),
    providers: Object.keys(credentials),
  });
  if (!loaded.ok) throw new Error(`${formatFaults(file, loaded.faults)}\n${yaml}`);
  return loaded.configuration;
}

function parse(lines: readonly string[]): Readonly<Record<string, unknown>>[] {
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
