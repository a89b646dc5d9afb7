import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readmeText } from '../../helm/generate-readme.ts';
import { mergeSchemas, valuesSchemaText } from '../../helm/generate-values-schema.ts';
import { features, fold, goldenManifests, goldenText, valuesFile } from './golden.ts';
import { chart, findHelm, lint, ofKind, podOf, template, withoutHelm } from './helm.ts';

const helm = findHelm();
const note = helm === undefined ? withoutHelm : '';

function read(name: string): string {
  return readFileSync(join(chart, name), 'utf8');
}

test('the continuous integration has a helm to test with', () => {
  expect(
    helm ?? process.env['PORTCULLIS_REQUIRE_HELM'],
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

  test('holds a page of its values that is generated from their comments and up to date', () => {
    expect(read('README.md'), 'npm run generate').toBe(readmeText());
  });

  test('has fewer than 300 lines of values, and names every value of its schema, each under a comment', () => {
    const values = read('values.yaml');
    expect(values.split('\n').length).toBeLessThan(300);
    const schema = JSON.parse(read('values.schema.json')) as SchemaPart;
    const wanted = keysOf(schema, '').filter(
      (key) => !/^(global|config|resources|podSecurityContext)\b./.test(key),
    );
    const documented = [...readmeText().matchAll(/^\| `([^`]+)` \|.*\| \S.* \|$/gm)].map(([, key]) => key);
    const isForSubchartsOnly = (key: string): boolean => key === 'global';
    const isTheManner = (key: string): boolean => key.startsWith('bridge.resources.');
    expect(new Set(documented)).toEqual(
      new Set(wanted.filter((key) => !isForSubchartsOnly(key) && !isTheManner(key))),
    );
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

  test('makes no secret: none is among its templates, and nothing random (E-005)', () => {
    const kinds = features.flatMap((feature) => goldenManifests(feature).map(({ kind }) => kind));
    expect(kinds).toContain('ConfigMap');
    expect(kinds).not.toContain('Secret');
    const templates = ['deployment.yaml', 'configmap.yaml', '_checks.tpl', '_helpers.tpl'].map((name) =>
      read(`templates/${name}`),
    );
    expect(templates.join('\n')).not.toMatch(/\brand|genCA|genPrivateKey|genSigned|lookup|b64enc|uuidv4/);
  });
});

interface SchemaPart {
  readonly properties?: Readonly<Record<string, SchemaPart>>;
}

/** The paths of all keys below, with dots. */
function keysOf({ properties = {} }: SchemaPart, prefix: string): readonly string[] {
  return Object.entries(properties).flatMap(([key, part]) => {
    const inner = prefix === '' && key === 'config' ? [] : keysOf(part, `${prefix}${key}.`);
    return [`${prefix}${key}`, ...inner];
  });
}

describe.skipIf(helm === undefined).each(features)(`with the %s values, helm${note}`, (feature) => {
  test('finds nothing to complain about', () => {
    const { status, stdout, stderr } = lint(helm ?? '', valuesFile(feature));
    expect(stdout + stderr).not.toMatch(/WARNING|ERROR/);
    expect(status).toBe(0);
  });

  test('renders the golden manifests', () => {
    const { status, stdout, stderr } = template(helm ?? '', '--values', valuesFile(feature));
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(fold(stdout), 'node helm/write-golden.ts writes them').toBe(goldenText(feature));
  });
});

describe.each(features)('with the %s values, the manifests', (feature) => {
  const manifests = goldenManifests(feature);
  const { container } = podOf(manifests);

  test('have probes that ask the ops port, which listens outside loopback (C5, W10)', () => {
    expect(container).toMatchObject({
      startupProbe: { httpGet: { path: '/healthz', port: 'ops' } },
      livenessProbe: { httpGet: { path: '/healthz', port: 'ops' } },
      readinessProbe: { httpGet: { path: '/readyz', port: 'ops' } },
    });
    expect(container.env).toContainEqual({ name: 'OPS_HOST', value: '0.0.0.0' });
    expect(container.ports?.map(({ name }) => name)).toEqual(['public', 'ops']);
  });

  test('have a Service for clients and one for the inside, and both select the pod (E-006)', () => {
    const services = manifests.filter(({ kind }) => kind === 'Service') as unknown as readonly Service[];
    const deployment = ofKind(manifests, 'Deployment')['spec'] as { selector: object; template: object };
    expect(services.map(({ spec }) => spec.ports.map(({ targetPort }) => targetPort))).toEqual([
      ['public'],
      ['ops'],
    ]);
    expect(services[1]?.spec.type).toBe('ClusterIP');
    for (const { spec } of services) {
      expect(deployment.selector).toEqual({ matchLabels: spec.selector });
      expect(deployment.template).toMatchObject({ metadata: { labels: spec.selector } });
    }
  });

  test('point to objects that are there', () => {
    const services = manifests.filter(({ kind }) => kind === 'Service').map(({ metadata }) => metadata.name);
    const text = JSON.stringify(manifests.filter(({ kind }) => kind === 'Ingress' || kind === 'HTTPRoute'));
    const named = [...text.matchAll(/"(?:service|backendRefs)":\[?\{"name":"([^"]+)"/g)].map(
      ([, name]) => name,
    );
    expect(services).toEqual(expect.arrayContaining(named));
    const { name } = ofKind(manifests, 'Deployment').metadata;
    for (const { spec } of manifests.filter(({ kind }) => kind === 'HorizontalPodAutoscaler'))
      expect(spec).toMatchObject({ scaleTargetRef: { kind: 'Deployment', name } });
  });
});

interface Service {
  readonly spec: {
    readonly type: string;
    readonly selector: object;
    readonly ports: readonly { readonly targetPort: string }[];
  };
}

describe('the monitoring values', () => {
  const manifests = goldenManifests('monitoring');

  test('bring Prometheus to the ops Service alone, and its rules and the dashboard as the files have them', () => {
    const ops = manifests.find(({ kind, metadata }) => kind === 'Service' && metadata.name.endsWith('-ops'));
    const { selector } = ofKind(manifests, 'ServiceMonitor')['spec'] as { selector: { matchLabels: object } };
    expect(ops?.metadata.labels).toMatchObject(selector.matchLabels);
    const other = manifests.find(
      ({ kind, metadata }) => kind === 'Service' && !metadata.name.endsWith('-ops'),
    );
    expect(other?.metadata.labels).not.toMatchObject(selector.matchLabels);
    expect(ofKind(manifests, 'PrometheusRule')['spec']).toEqual(parse(read('files/alerts.yaml')));
    const dashboard = manifests.find(({ metadata }) => metadata.name.endsWith('-dashboard'));
    const data = (dashboard?.['data'] ?? {}) as Readonly<Record<string, string>>;
    expect(JSON.parse(data['portcullis.json'] ?? '')).toEqual(JSON.parse(read('files/dashboard.json')));
  });
});
