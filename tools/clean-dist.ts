import { rmSync } from 'node:fs';

/** A file that left src/ must leave dist/ too. */
rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });
