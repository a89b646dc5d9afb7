import type { Configuration } from './configuration.ts';
import type { CheckedConfiguration } from './schema.ts';
import { readSigningKey } from './signing-key.ts';
import type { NamedFiles, SecretName } from './sources.ts';

/** The keys of `signing`, read from where they are named. */
export function resolveSigning(
  signing: CheckedConfiguration['signing'],
  files: NamedFiles,
): Configuration['signing'] {
  if (signing === undefined) return { others: [] };
  const read = (named: SecretName): string => {
    const key = readSigningKey(files.secretOf(named));
    if (key === undefined) throw new Error('a signing key that was checked before is none');
    return key;
  };
  const { key, next, previous } = signing;
  return { key: read(key), others: [...(next === undefined ? [] : [next]), ...previous].map(read) };
}
