/** The gateway itself, started with what a pod would be given: the ConfigMap, the variables, the files. */
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Configuration } from '../../src/config/configuration.ts';
import { formatFaults } from '../../src/config/faults.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { createGateway } from '../../src/gateway.ts';
import { makeCertificate } from '../integration/certificates.ts';
import { features, goldenManifests, valuesFile } from './golden.ts';
import { ofKind, podOf } from './helm.ts';
import type { Variable } from './helm.ts';
import { readFileSync } from 'node:fs';

const certificate = makeCertificate('mcp.example.com');

/** What stands in the files that a pod mounts, by what they are called. */
function mountedFile(path: string): string {
  if (path.endsWith('.key')) return certificate.key;
  if (path.endsWith('session-key')) return randomBytes(36).toString('base64');
  if (/\.(crt|pem)$/.test(path)) return certificate.cert;
  throw new Error(`nothing mounts ${path}`);
}

/** What the kubelet makes of a variable; whole Secrets give those that the configuration names besides. */
function environmentOf(variables: readonly Variable[], text: string): Readonly<Record<string, string>> {
  const named = [...text.matchAll(/\benv: (\w+)/g)].map(([, name = '']) => ({ name, valueFrom: {} }));
  const entries = [...named, ...variables].map(({ name, value }: Variable) => [
    name,
    value ?? (name.endsWith('URL') ? 'redis://:password@127.0.0.1:1' : randomBytes(36).toString('base64')),
  ]);
  return Object.fromEntries(entries) as Readonly<Record<string, string>>;
}

function configurationOf(feature: string, here: Readonly<Record<string, string>>): Configuration {
  const manifests = goldenManifests(feature);
  const { data } = ofKind(manifests, 'ConfigMap') as unknown as { data: Record<string, string> };
  expect(Object.keys(data)).toEqual(['config.yaml']);
  const text = data['config.yaml'] ?? '';
  const file = '/etc/portcullis/config.yaml';
  const loaded = loadConfiguration(text, {
    file,
    environment: { ...environmentOf(podOf(manifests).container.env ?? [], text), ...here },
    readFile: mountedFile,
  });
  if (!loaded.ok) throw new Error(formatFaults(file, loaded.faults));
  return loaded.configuration;
}

const closings: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closings.map((close) => close())));

describe.each(features)('with the %s values, the gateway', (feature) => {
  test('gets the config block unchanged, and listens where the Services and the probes look for it (W10)', () => {
    const { config } = parse(readFileSync(valuesFile(feature), 'utf8')) as { config: object };
    const manifests = goldenManifests(feature);
    const { data } = ofKind(manifests, 'ConfigMap') as unknown as { data: Record<string, string> };
    expect(parse(data['config.yaml'] ?? '')).toEqual(config);
    const { listen, ops } = configurationOf(feature, {});
    expect([listen.host, ops.host]).toEqual(['0.0.0.0', '0.0.0.0']);
    expect(podOf(manifests).container.ports).toMatchObject([
      { name: 'public', containerPort: listen.port },
      { name: 'ops', containerPort: ops.port },
    ]);
  });

  test('starts, is alive and shows its metrics (C5)', async () => {
    const loopback = { HOST: '127.0.0.1', PORT: '0', OPS_HOST: '127.0.0.1', OPS_PORT: '0' };
    const configuration = configurationOf(feature, loopback);
    const silent = { write: () => undefined };
    const gateway = createGateway(configuration, {
      logSink: silent,
      auditSink: silent,
      fetch: () => Promise.reject(new Error('no network')),
    });
    closings.push(() => gateway.close());
    const { opsAddress } = await gateway.start();
    expect((await fetch(`${opsAddress}/healthz`)).status).toBe(200);
    expect((await fetch(`${opsAddress}/metrics`)).status).toBe(200);
  });
});
