import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { mergeSchemas, valuesSchemaText } from '../../helm/generate-values-schema.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { chart, findHelm, lint, ofKind, readManifests, template, templateWith } from './helm.ts';
import type { Manifest } from './helm.ts';

const found = findHelm();
const helm = found ?? 'helm';
const without = found === undefined ? ' (skipped: helm is neither on PATH nor in GOPATH/bin)' : '';

if (found === undefined) {
  console.info(`the chart's tests with real helm${without}`);
}

const features = readdirSync(join(chart, 'ci')).map((file) => file.replace('-values.yaml', ''));
const minimal = valuesFile('minimal');

function valuesFile(feature: string): string {
  return join(chart, 'ci', `${feature}-values.yaml`);
}

function read(name: string): string {
  return readFileSync(join(chart, name), 'utf8');
}

function renderText(feature: string): string {
  const { status, stdout, stderr } = template(helm, '--values', valuesFile(feature));
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

function render(feature: string): readonly Manifest[] {
  return readManifests(renderText(feature));
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly securityContext: object;
  readonly terminationGracePeriodSeconds: number;
}

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: object;
  readonly volumeMounts: readonly object[];
}

function podOf(manifests: readonly Manifest[]): { readonly pod: PodSpec; readonly container: Container } {
  const { spec } = ofKind(manifests, 'Deployment') as unknown as { spec: { template: { spec: PodSpec } } };
  const [container, ...others] = spec.template.spec.containers;
  expect(others).toEqual([]);
  return { pod: spec.template.spec, container: container! };
}

test('the continuous integration has a helm to test with', () => {
  expect(
    found ?? process.env['PORTCULLIS_REQUIRE_HELM'],
    'PORTCULLIS_REQUIRE_HELM is set, helm is missing',
  ).not.toBe('1');
});

describe('the chart at rest', () => {
  test('carries the version of the gateway', () => {
    const { version } = JSON.parse(readFileSync(join(chart, '../package.json'), 'utf8')) as {
      version: string;
    };
    const { appVersion } = parse(read('Chart.yaml')) as { appVersion: string };
    expect(appVersion).toBe(version);
  });

  test('holds a schema of its values that is generated from the gateway and up to date', () => {
    expect(read('values.schema.json'), 'npm run generate').toBe(valuesSchemaText());
  });

  test('names every value of its schema in values.yaml, each under a comment', () => {
    const { properties } = JSON.parse(read('values.schema.json')) as { properties: object };
    const defaults = read('values.yaml');
    const documented = [...defaults.matchAll(/^# .*\n([a-zA-Z]+):/gm)].map(([, key]) => key);
    const isForSubchartsOnly = (key: string): boolean => key === 'global';
    const values = Object.keys(properties).filter((key) => !isForSubchartsOnly(key));
    expect(new Set(documented)).toEqual(new Set(values));
    expect(new Set(Object.keys(parse(defaults) as object))).toEqual(new Set(values));
  });

  test('keeps the references of both schemas apart when they are merged', () => {
    const own = { properties: { a: { $ref: '#/$defs/port' } }, $defs: { port: { type: 'integer' } } };
    const gateway = {
      type: 'object',
      properties: { b: { $ref: '#/$defs/port' } },
      $defs: { port: { type: 'string' } },
    };
    expect(mergeSchemas(own, gateway)).toEqual({
      properties: {
        config: { type: 'object', properties: { b: { $ref: '#/$defs/config.port' } } },
        a: { $ref: '#/$defs/port' },
      },
      $defs: { port: { type: 'integer' }, 'config.port': { type: 'string' } },
    });
  });
});

describe.skipIf(found === undefined).each(features)(`with the %s values, helm${without}`, (feature) => {
  test('finds nothing to complain about', () => {
    const { status, stdout, stderr } = lint(helm, valuesFile(feature));
    expect(stdout + stderr).not.toMatch(/WARNING|ERROR/);
    expect(status).toBe(0);
  });

  test('renders the golden manifests (UPDATE_GOLDEN=1 writes them)', () => {
    const text = renderText(feature);
    const golden = join(chart, 'golden', `${feature}.yaml`);
    if (process.env['UPDATE_GOLDEN'] === '1') {
      writeFileSync(golden, text);
    }
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });

  test('renders a pod that has no more rights than it needs', () => {
    const { pod, container } = podOf(render(feature));
    expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      privileged: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container).toHaveProperty('resources.limits');
    expect(container.volumeMounts).toContainEqual({
      name: 'config',
      mountPath: '/etc/portcullis',
      readOnly: true,
    });
  });

  test('renders probes that ask the ops port, which listens outside loopback (C5, W10)', () => {
    const { container } = podOf(render(feature));
    expect(container).toMatchObject({
      startupProbe: { httpGet: { path: '/healthz', port: 'ops' } },
      livenessProbe: { httpGet: { path: '/healthz', port: 'ops' } },
      readinessProbe: { httpGet: { path: '/readyz', port: 'ops' } },
    });
    expect(container.env).toContainEqual({ name: 'OPS_HOST', value: '0.0.0.0' });
    expect(container.ports.map(({ name }) => name)).toEqual(['public', 'ops']);
  });

  test('renders a Service that selects the pod and never leaves the cluster', () => {
    const manifests = render(feature);
    const service = ofKind(manifests, 'Service')['spec'] as { selector: object; ports: readonly object[] };
    const deployment = ofKind(manifests, 'Deployment')['spec'] as { selector: object; template: object };
    expect(service).toMatchObject({
      type: 'ClusterIP',
      ports: [{ targetPort: 'public' }, { targetPort: 'ops' }],
    });
    expect(deployment.selector).toEqual({ matchLabels: service.selector });
    expect(deployment.template).toMatchObject({ metadata: { labels: service.selector } });
  });

  test('passes the config block to the ConfigMap unchanged, and the gateway takes it', () => {
    const { config } = parse(readFileSync(valuesFile(feature), 'utf8')) as { config: object };
    const { data } = ofKind(render(feature), 'ConfigMap') as unknown as { data: Record<string, string> };
    expect(Object.keys(data)).toEqual(['config.yaml']);
    const text = data['config.yaml'] ?? '';
    expect(parse(text)).toEqual(config);
    const { env } = podOf(render(feature)).container;
    const environment = Object.fromEntries(env.map(({ name, value }) => [name, value]));
    const loaded = loadConfiguration(text, {
      file: '/etc/portcullis/config.yaml',
      environment,
      readFile: () => rootCertificates[0] ?? '',
    });
    expect(loaded).not.toHaveProperty('faults');
    expect(loaded).toMatchObject({ configuration: { ops: { host: '0.0.0.0' } } });
  });
});

const route = { path: '/mcp', upstream: 'http://mcp-server:8000/mcp' };

/** What is wrong, the values, and the words that the message has to hold: the key above all. */
const mistakes: readonly (readonly [string, unknown, RegExp])[] = [
  ['a value that does not exist', { replicaCount: 2 }, /'replicaCount'/],
  ['a misspelt key below one that exists', { service: { ports: 80 } }, /service.*'ports'/s],
  ['a number as a word', { replicas: 'two' }, /replicas.*integer/s],
  ['a port out of range', { service: { opsPort: 70_000 } }, /service\/opsPort/],
  ['a digest that is not one', { image: { digest: 'latest' } }, /image\/digest/],
  ['the root user', { podSecurityContext: { runAsUser: 0 } }, /podSecurityContext\/runAsUser/],
  ['a weaker pod', { podSecurityContext: { runAsNonRoot: false } }, /podSecurityContext.*'runAsNonRoot'/s],
  ['a variable that the chart owns', { extraEnv: [{ name: 'PORT', value: '1' }] }, /extraEnv\/0\/name/],
  ['a second volume called config', { extraVolumes: [{ name: 'config' }] }, /extraVolumes\/0\/name/],
  ['a configuration without an address', { config: { publicUrl: null } }, /config\/publicUrl/],
  ['a misspelt key of the gateway', { config: { publicURL: 'https://a.example' } }, /config.*'publicURL'/s],
  [
    'a misspelt key of a route',
    { config: { routes: [{ ...route, scope: ['a'] }] } },
    /config\/routes\/0.*'scope'/s,
  ],
  ['a bare off, which Helm reads as false', 'config: { log: { audit: off } }', /config\/log\/audit/],
  [
    'a time to stop that cuts the draining',
    { config: { stop: { drain: '25s' } } },
    /terminationGracePeriodSeconds/,
  ],
  ['the same in minutes', { config: { stop: { drain: '1m' } } }, /config\.stop\.drain \(60 seconds\)/],
];

describe.skipIf(found === undefined)(`given wrong values, helm${without}`, () => {
  test.each(mistakes)('refuses %s and names the key', (_mistake, values, message) => {
    const { status, stderr } = templateWith(helm, minimal, values);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });

  test('refuses values without a configuration', () => {
    const { status, stderr } = template(helm);
    expect(status).toBe(1);
    expect(stderr).toMatch(/config/);
  });

  test('tells the Service that the gateway speaks https when it has a certificate', () => {
    const values = {
      config: { listen: { tls: { certFile: '/etc/tls/tls.crt', keyFile: '/etc/tls/tls.key' } } },
    };
    const { stdout } = templateWith(helm, minimal, values);
    expect(ofKind(readManifests(stdout), 'Service')).toMatchObject({
      spec: {
        ports: [
          { name: 'public', appProtocol: 'https' },
          { name: 'ops', appProtocol: 'http' },
        ],
      },
    });
  });

  test('takes a time to stop that leaves room for the draining', () => {
    const values = { config: { stop: { drain: '29500ms' } }, terminationGracePeriodSeconds: 36 };
    const { status, stdout } = templateWith(helm, minimal, values);
    expect(status).toBe(0);
    expect(podOf(readManifests(stdout)).pod.terminationGracePeriodSeconds).toBe(36);
  });
});
