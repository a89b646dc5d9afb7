import { createRequire } from 'node:module';

import type * as Cel from '@bufbuild/cel';

/** In the place of an import: only configurations with conditions load it, and all that it brings. */
const load = createRequire(import.meta.url);

let library: typeof Cel | undefined;

/** The library behind conditions, from the first condition on; as a module, it is there once for all. */
export function cel(): typeof Cel {
  return (library ??= load('@bufbuild/cel') as typeof Cel);
}
