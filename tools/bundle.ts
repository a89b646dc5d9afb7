/** Makes what the image runs, in `bundle/`: `npm run bundle`. */
import { fileURLToPath } from 'node:url';

import { writeBundle } from './write-bundle.ts';

const chunks = await writeBundle(fileURLToPath(new URL('../bundle/', import.meta.url)));
const kilobytes = chunks.reduce((sum, { bytes }) => sum + bytes, 0) / 1000;
console.log(`bundle/: ${chunks.length} files, ${kilobytes.toFixed(0)} kB`);
