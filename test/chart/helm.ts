import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, stringify } from 'yaml';

export const chart = fileURLToPath(new URL('../../helm/', import.meta.url));

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a template renders; only the parts that the tests read are named. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [key: string]: unknown;
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Ends the titles of tests that need helm: says why they were left out. */
export const withoutHelm = ' (left out: helm is neither on PATH nor in GOPATH/bin)';

/** The helm to test with: the one on PATH, or the one that `go install` put below GOPATH. */
export function findHelm(): string | undefined {
  const goPath = spawnSync('go', ['env', 'GOPATH'], { encoding: 'utf8' }).stdout?.trim();
  const candidates = ['helm', ...(goPath ? [join(goPath, 'bin', 'helm')] : [])];
  return candidates.find((candidate) => spawnSync(candidate, ['version', '--short']).status === 0);
}

/** A fixed release, namespace and cluster version, so that the same values give the same text everywhere. */
export function template(helm: string, ...args: readonly string[]): Outcome {
  return render(helm, 'gate', ['--namespace', 'mcp', ...args]);
}

function render(helm: string, release: string, args: readonly string[]): Outcome {
  const fixed = ['template', release, chart, '--kube-version', '1.34.0'];
  return spawnSync(helm, [...fixed, ...args], { encoding: 'utf8' });
}

export function lint(helm: string, valuesFile: string): Outcome {
  const args = ['lint', '--strict', '--kube-version', '1.34.0', chart, '--values', valuesFile];
  return spawnSync(helm, args, { encoding: 'utf8' });
}

/** Renders values that aren't in a file, over those of a file; for a release and a namespace of that name where one is given. */
export function templateWith(helm: string, valuesFile: string, values: unknown, name?: string): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-chart-'));
  const file = join(folder, 'values.yaml');
  try {
    writeFileSync(file, typeof values === 'string' ? values : stringify(values));
    const args = ['--values', valuesFile, '--values', file];
    return name === undefined ? template(helm, ...args) : render(helm, name, ['--namespace', name, ...args]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function readManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) {
      throw fault;
    }
    return document.toJS() as Manifest;
  });
}

/** What the release's own objects are called, by the values of a feature. */
const releaseNames = new Set(['gate', 'gate-portcullis', 'gateway']);

/** The one manifest of a kind; of several, the one that is called as the release. */
export function ofKind(manifests: readonly Manifest[], kind: string): Manifest {
  const all = manifests.filter((manifest) => manifest.kind === kind);
  const found = all.length === 1 ? all : all.filter(({ metadata }) => releaseNames.has(metadata.name));
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`${found.length} manifests of kind ${kind}`);
  }
  return found[0];
}

export interface PodSpec {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly terminationGracePeriodSeconds: number;
  readonly [key: string]: unknown;
}

export interface Container {
  readonly name: string;
  readonly env?: readonly Variable[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly object[];
  readonly [key: string]: unknown;
}

export interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: object;
}

export interface Pod {
  readonly pod: PodSpec;
  /** The gateway's. */
  readonly container: Container;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The pod of the one Deployment, in which the gateway runs alone but for what starts before it. */
export function podOf(manifests: readonly Manifest[]): Pod {
  const { template: made } = ofKind(manifests, 'Deployment')['spec'] as {
    readonly template: {
      readonly metadata: Pick<Pod, 'labels' | 'annotations'>;
      readonly spec: PodSpec;
    };
  };
  const [container, ...others] = made.spec.containers;
  if (container === undefined || others.length > 0) throw new Error('not one container');
  return { pod: made.spec, container, ...made.metadata };
}
