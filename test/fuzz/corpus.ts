import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The inputs that are kept for a target, one JSON text each, in which a character stands for a byte. */
export function corpusOf(target: string): readonly Buffer[] {
  const texts = JSON.parse(
    readFileSync(new URL(`corpus/${target}.json`, import.meta.url), 'utf8'),
  ) as readonly string[];
  return texts.map((text) => Buffer.from(text, 'latin1'));
}

/** Writes an input that failed where a person looks for it, and answers where that is; in the form that the corpus has. */
export function keepFailure(target: string, input: Buffer): string {
  const folder = fileURLToPath(new URL('failures/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const name = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const file = `${folder}${target}-${name}.json`;
  writeFileSync(file, `${JSON.stringify([input.toString('latin1')])}\n`);
  return file;
}
