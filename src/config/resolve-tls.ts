import type { ClientTls } from './configuration.ts';
import type { CheckedConfiguration } from './schema.ts';
import type { NamedFiles } from './sources.ts';

type CheckedTls = NonNullable<CheckedConfiguration['routes'][number]['upstream']['tls']>;

/** What files say of how both sides prove themselves. */
export function resolveTls({ caFile, certFile, keyFile }: CheckedTls, files: NamedFiles): ClientTls {
  return {
    ...(caFile === undefined ? {} : { ca: files.textOf(caFile) }),
    ...(certFile === undefined ? {} : { cert: files.textOf(certFile) }),
    ...(keyFile === undefined ? {} : { key: files.textOf(keyFile) }),
  };
}
