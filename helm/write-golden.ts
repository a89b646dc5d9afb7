/** Renders every feature of ci/ with the helm at hand and writes golden/ anew: `node helm/write-golden.ts`. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { features, valuesFile, writeGolden } from '../test/chart/golden.ts';
import { chart, findHelm, template, withoutHelm } from '../test/chart/helm.ts';

const helm = findHelm();
if (helm === undefined) throw new Error(`nothing written${withoutHelm}`);
rmSync(join(chart, 'golden'), { recursive: true, force: true });
for (const feature of features) {
  const { status, stdout, stderr } = template(helm, '--values', valuesFile(feature));
  if (status !== 0) throw new Error(`${feature}: ${stderr}`);
  writeGolden(feature, stdout);
}
