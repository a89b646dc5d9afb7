import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart, readManifests } from './helm.ts';
import type { Manifest } from './helm.ts';

/** What the chart takes over from files; in a golden text one line stands for each, or every edit would be there twice. */
const included = ['files/alerts.yaml', 'files/dashboard.json'] as const;

/** One for each file of values in helm/ci. */
export const features: readonly string[] = readdirSync(join(chart, 'ci')).map((file) =>
  file.replace('-values.yaml', ''),
);

export function valuesFile(feature: string): string {
  return join(chart, 'ci', `${feature}-values.yaml`);
}

/**
 * The manifests of a feature, as chart.test.ts holds them to be what helm renders: so other tests need no helm, and
 * don't wait for it.
 */
export function goldenManifests(feature: string): readonly Manifest[] {
  return readManifests(unfold(readFileSync(goldenFile(feature), 'utf8')));
}

export function goldenText(feature: string): string {
  return readFileSync(goldenFile(feature), 'utf8');
}

export function writeGolden(feature: string, rendered: string): void {
  mkdirSync(join(chart, 'golden'), { recursive: true });
  writeFileSync(goldenFile(feature), fold(rendered));
}

/** A rendered text with a line in the place of each included file. */
export function fold(rendered: string): string {
  return included.reduce((text, name) => text.replace(contentOf(name), lineFor(name)), rendered);
}

function unfold(golden: string): string {
  return included.reduce((text, name) => text.replace(lineFor(name), () => contentOf(name)), golden);
}

function lineFor(name: (typeof included)[number]): string {
  return `#… ${name}`;
}

/** As `nindent` of the template writes it. */
function contentOf(name: (typeof included)[number]): string {
  const indent = ' '.repeat(name === 'files/alerts.yaml' ? 2 : 4);
  return readFileSync(join(chart, name), 'utf8').trim().replaceAll(/^/gm, indent);
}

function goldenFile(feature: string): string {
  return join(chart, 'golden', `${feature}.yaml`);
}
