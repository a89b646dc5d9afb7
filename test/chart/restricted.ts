import type { Container, PodSpec } from './helm.ts';

/** What the Pod Security Standard "restricted" lets a volume be. */
const volumeKinds = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

/**
 * What the admission controller of a namespace with `pod-security.kubernetes.io/enforce: restricted` would refuse, each in
 * a sentence (Kubernetes, Pod Security Standards).
 */
export function restrictedFaults(pod: PodSpec): readonly string[] {
  const shared = ['hostNetwork', 'hostPID', 'hostIPC'].filter((key) => pod[key] === true);
  const volumes = (pod.volumes ?? []).flatMap(({ name: _name, ...kind }) => Object.keys(kind));
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  return [
    ...shared,
    ...volumes.filter((kind) => !volumeKinds.has(kind)).map((kind) => `a volume of kind ${kind}`),
    ...(pod.securityContext['sysctls'] === undefined ? [] : ['sysctls']),
    ...containers.flatMap((container) =>
      containerFaults(container, pod).map((fault) => `${container.name}: ${fault}`),
    ),
  ];
}

function containerFaults({ securityContext: own, ports }: Container, pod: PodSpec): readonly string[] {
  const inherited = { ...pod.securityContext, ...own };
  const { type } = (inherited['seccompProfile'] ?? {}) as { readonly type?: string };
  const { drop = [], add = [] } = (own['capabilities'] ?? {}) as Readonly<Record<string, readonly string[]>>;
  const rules: readonly (readonly [boolean, string])[] = [
    [own['allowPrivilegeEscalation'] === false, 'privileges can be gained'],
    [own['privileged'] !== true, 'privileged'],
    [drop.includes('ALL') && add.every((name) => name === 'NET_BIND_SERVICE'), 'capabilities'],
    [inherited['runAsNonRoot'] === true && inherited['runAsUser'] !== 0, 'root'],
    [type === 'RuntimeDefault' || type === 'Localhost', 'no seccomp profile'],
    [(own['procMount'] ?? 'Default') === 'Default', 'procMount'],
    [(ports ?? []).every((port) => !('hostPort' in port)), 'a port of the host'],
  ];
  return rules.filter(([holds]) => !holds).map(([, fault]) => fault);
}
