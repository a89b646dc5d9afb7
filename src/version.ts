import { readFileSync } from 'node:fs';

/** The folder of the package that runs: this file lies one below it in `src`, in `dist` and in the bundle. */
export const packageFolder = new URL('..', import.meta.url);

const manifest = JSON.parse(readFileSync(new URL('package.json', packageFolder), 'utf8')) as {
  readonly version: string;
};

/** The version of the package that runs. */
export const version: string = manifest.version;
