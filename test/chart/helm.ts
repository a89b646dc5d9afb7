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
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [key: string]: unknown;
}

/** The helm to test with: the one on PATH, or the one that `go install` put below GOPATH. */
export function findHelm(): string | undefined {
  const goPath = spawnSync('go', ['env', 'GOPATH'], { encoding: 'utf8' }).stdout?.trim();
  const candidates = ['helm', ...(goPath ? [join(goPath, 'bin', 'helm')] : [])];
  return candidates.find((candidate) => spawnSync(candidate, ['version', '--short']).status === 0);
}

/** A fixed release, namespace and cluster version, so that the same values give the same text everywhere. */
export function template(helm: string, ...args: readonly string[]): Outcome {
  const fixed = ['--namespace', 'mcp', '--kube-version', '1.34.0'];
  return spawnSync(helm, ['template', 'gate', chart, ...fixed, ...args], { encoding: 'utf8' });
}

export function lint(helm: string, valuesFile: string): Outcome {
  const args = ['lint', '--strict', '--kube-version', '1.34.0', chart, '--values', valuesFile];
  return spawnSync(helm, args, { encoding: 'utf8' });
}

/** Renders values that aren't in a file, over those of a file. */
export function templateWith(helm: string, valuesFile: string, values: unknown): Outcome {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-chart-'));
  const file = join(folder, 'values.yaml');
  try {
    writeFileSync(file, typeof values === 'string' ? values : stringify(values));
    return template(helm, '--values', valuesFile, '--values', file);
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

/** The one manifest of a kind. */
export function ofKind(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`${found.length} manifests of kind ${kind}`);
  }
  return found[0];
}
