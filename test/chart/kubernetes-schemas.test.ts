import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { features, goldenManifests } from './golden.ts';
import { readManifests } from './helm.ts';
import type { Manifest } from './helm.ts';
import { KubernetesSchemas, kubernetesVersions, schemasMissing } from './kubernetes-schemas.ts';

const note = schemasMissing === undefined ? '' : ` (${schemasMissing})`;

/** A container that starts first and ends last is known from 1.28 on; the chart refuses it before 1.29. */
const needsNewer = new Set(['bridge', 'everything']);

test("the continuous integration has Kubernetes' schemas to test with", () => {
  expect(process.env['PORTCULLIS_REQUIRE_HELM'] === '1' ? schemasMissing : undefined).toBeUndefined();
});

describe.skipIf(schemasMissing !== undefined).each(kubernetesVersions)(`Kubernetes %s${note}`, (version) => {
  const schemas = new KubernetesSchemas(version);
  const fitting = features.filter((feature) => version !== '1.25' || !needsNewer.has(feature));

  test.each(fitting)('takes every manifest of the %s values (E-007)', (feature) => {
    const manifests = goldenManifests(feature);
    expect(manifests.length).toBeGreaterThan(5);
    expect(manifests.flatMap((manifest) => schemas.faultsOf(manifest))).toEqual([]);
  });

  test('takes the MCP server of the guide', () => {
    const file = new URL('../../docs/snippets/kubernetes/mcp-server.yaml', import.meta.url);
    const manifests = readManifests(readFileSync(file, 'utf8'));
    expect(manifests.flatMap((manifest) => schemas.faultsOf(manifest))).toEqual([]);
  });

  test('refuses a misspelt key, a wrong type and a key too many, wherever they stand', () => {
    const manifests = goldenManifests('ingress');
    const broken = (kind: string, from: string, to: string): readonly string[] => {
      const text = JSON.stringify(manifests.find((manifest) => manifest.kind === kind));
      expect(text).toContain(from);
      return schemas.faultsOf(JSON.parse(text.replace(from, to)) as Manifest);
    };
    expect(broken('Deployment', '"readOnly":true', '"readonly":true').join()).toContain('readonly');
    expect(broken('Deployment', '"replicas":1', '"replicas":"1"').join()).toContain('/spec/replicas');
    expect(broken('Ingress', '"pathType":"Prefix",', '').join()).toContain('pathType');
    expect(broken('ServiceAccount', '"namespace"', '"nameSpace"').join()).toContain('nameSpace');
    expect(broken('NetworkPolicy', '"egress"', '"outgoing"').join()).toContain('outgoing');
  });
});

describe.skipIf(schemasMissing !== undefined)(`the definitions of others${note}`, () => {
  const schemas = new KubernetesSchemas('1.30');
  const manifests = goldenManifests('everything');

  test.each([
    ['HTTPRoute', '"parentRefs"', '"parents"'],
    ['HTTPRoute', '"PathPrefix"', '"Prefix"'],
    ['ServiceMonitor', '"interval":"15s"', '"interval":"often"'],
    ['PrometheusRule', '"expr"', '"expression"'],
  ])('refuse a wrong %s: %s', (kind, from, to) => {
    const text = JSON.stringify(manifests.find((manifest) => manifest.kind === kind));
    expect(text).toContain(from);
    expect(schemas.faultsOf(JSON.parse(text.replace(from, to)) as Manifest)).not.toEqual([]);
  });
});
