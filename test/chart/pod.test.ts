import { describe, expect, test } from 'vitest';
import { features, goldenManifests } from './golden.ts';
import { ofKind, podOf } from './helm.ts';
import type { PodSpec } from './helm.ts';
import { restrictedFaults } from './restricted.ts';

describe.each(features)('with the %s values, the pod', (feature) => {
  const manifests = goldenManifests(feature);
  const { pod, container, labels } = podOf(manifests);

  test('keeps the rules of the Pod Security Standard "restricted" (E-007)', () => {
    expect(restrictedFaults(pod)).toEqual([]);
  });

  test('has no more than it needs: no token, no foreign variables, a root that nobody writes (E-007)', () => {
    expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    for (const each of [...(pod.initContainers ?? []), container])
      expect(each).toMatchObject({
        securityContext: { readOnlyRootFilesystem: true, runAsNonRoot: true },
        resources: { limits: expect.any(Object) as object, requests: expect.any(Object) as object },
      });
    expect(container.volumeMounts).toContainEqual({
      name: 'config',
      mountPath: '/etc/portcullis',
      readOnly: true,
    });
    for (const { automountServiceAccountToken } of manifests.filter(({ kind }) => kind === 'ServiceAccount'))
      expect(automountServiceAccountToken).toBe(false);
  });

  test('is spread over nodes and zones, and emptied nodes leave some (E-007)', () => {
    const spread = pod['topologySpreadConstraints'] as readonly { readonly labelSelector: object }[];
    expect(spread.map((one) => one)).toMatchObject([
      { topologyKey: 'kubernetes.io/hostname' },
      { topologyKey: 'topology.kubernetes.io/zone' },
    ]);
    const { matchLabels } = (ofKind(manifests, 'PodDisruptionBudget')['spec'] as Budget).selector;
    expect(labels).toMatchObject(matchLabels);
    for (const { labelSelector } of spread) expect(labelSelector).toEqual({ matchLabels });
  });

  test('is killed only after the gateway has had its time, and nothing runs before SIGTERM (A27)', () => {
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(15);
    expect(container).not.toHaveProperty('lifecycle');
    expect(ofKind(manifests, 'Deployment')['spec']).toMatchObject({
      strategy: { rollingUpdate: { maxUnavailable: 0 } },
    });
  });

  test('has every secret by reference, and none in its arguments (E-005)', () => {
    const variables = [...(pod.initContainers ?? []), container].flatMap(({ env = [] }) => env);
    const written = variables.filter(({ value }) => value !== undefined).map(({ name }) => name);
    expect(written.filter((name) => !['OPS_HOST', 'TZ'].includes(name))).toEqual([]);
    expect(container['args']).toEqual(['serve', '--config', '/etc/portcullis/config.yaml']);
  });
});

interface Budget {
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
}

describe('the look at a pod', () => {
  const { pod } = podOf(goldenManifests('bridge'));
  const [gateway] = pod.containers;
  const withContext = (change: object): PodSpec => ({
    ...pod,
    containers: [{ ...gateway!, securityContext: { ...gateway!.securityContext, ...change } }],
  });

  test.each<readonly [string, PodSpec]>([
    ['hostNetwork', { ...pod, hostNetwork: true }],
    ['a volume of kind hostPath', { ...pod, volumes: [{ name: 'a', hostPath: { path: '/' } }] }],
    ['portcullis: privileges can be gained', withContext({ allowPrivilegeEscalation: true })],
    ['portcullis: privileged', withContext({ privileged: true })],
    ['portcullis: capabilities', withContext({ capabilities: { drop: ['NET_RAW'] } })],
    ['portcullis: root', withContext({ runAsNonRoot: false })],
    ['portcullis: no seccomp profile', withContext({ seccompProfile: { type: 'Unconfined' } })],
    [
      'bridge: root',
      { ...pod, initContainers: [{ ...pod.initContainers![0]!, securityContext: { runAsUser: 0 } }] },
    ],
  ])('finds %s', (fault, weaker) => {
    expect(restrictedFaults(pod)).toEqual([]);
    expect(restrictedFaults(weaker)).toContain(fault);
  });
});
