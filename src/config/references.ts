import { quote } from './describe.ts';
import type { Finding } from './finding.ts';
import { isWithin } from './path.ts';
import type { Path } from './path.ts';
import { belongTogether, holds } from './pem.ts';
import type { NamedFiles, Sources } from './sources.ts';
import type { Occupied } from './structure.ts';

interface World {
  readonly environment: Sources['environment'];
  readonly files: NamedFiles;
}

/** Looks behind what the file only names: files and variables must be there and hold what they are for. */
export function checkReferences(
  occupied: readonly Occupied[],
  faulty: readonly Path[],
  world: World,
): readonly Finding[] {
  return occupied
    .filter(({ path }) => !faulty.some((fault) => isWithin(fault, path)))
    .flatMap(({ path, field, value }) => {
      if (field.note.reads !== undefined && typeof value === 'string') {
        return checkPem({ path, file: value, files: world.files }, field.note.reads);
      }
      if (typeof value !== 'object' || value === null) return [];
      return field.note.secret === true
        ? checkSecret(path, value, world)
        : checkPair(path, value, world.files);
    });
}

interface NamedFile {
  readonly path: Path;
  readonly file: string;
  readonly files: NamedFiles;
}

function checkPem({ path, file, files }: NamedFile, content: 'certificates' | 'key'): readonly Finding[] {
  const reading = files.read(file);
  if (!reading.ok) return [unreadable({ path, file, files }, reading.reason)];
  const expected =
    content === 'key'
      ? 'a file with a private key in PEM form, without a passphrase'
      : 'a file with certificates in PEM form';
  return holds(reading.text, content)
    ? []
    : [{ path, found: `${quote(file)}, which holds something else`, expected }];
}

/** TLS would fail at the first connection, or at the start with OpenSSL's words. */
function checkPair(path: Path, value: object, files: NamedFiles): readonly Finding[] {
  const { certFile, keyFile } = value as { readonly certFile?: unknown; readonly keyFile?: unknown };
  if (typeof certFile !== 'string' || typeof keyFile !== 'string') return [];
  const [certificates, key] = [files.read(certFile), files.read(keyFile)];
  if (!certificates.ok || !key.ok || !holds(certificates.text, 'certificates') || !holds(key.text, 'key'))
    return [];
  if (belongTogether(certificates.text, key.text)) return [];
  return [
    {
      path: [...path, 'keyFile'],
      found: `${quote(keyFile)}, the key of another certificate`,
      expected: `the key of ${quote(certFile)}`,
    },
  ];
}

function unreadable({ path, file, files }: NamedFile, reason: string): Finding {
  const place = files.locate(file);
  const hint =
    place === file ? undefined : `looked for ${place}: paths are relative to the configuration file`;
  return {
    path,
    found: `${quote(file)}, which ${reason}`,
    expected: 'a file that can be read',
    ...(hint === undefined ? {} : { hint }),
  };
}

function checkSecret(path: Path, named: object, { environment, files }: World): readonly Finding[] {
  const { env, file } = named as { readonly env?: unknown; readonly file?: unknown };
  if (typeof env === 'string') {
    const value = environment[env];
    if (value !== undefined && value.trim() !== '') return [];
    return [
      {
        path: [...path, 'env'],
        found: `the variable ${env}, which ${value === undefined ? "isn't set" : 'is empty'}`,
        expected: 'a variable that holds the secret',
      },
    ];
  }
  if (typeof file !== 'string') return [];
  const place: NamedFile = { path: [...path, 'file'], file, files };
  const reading = files.read(file);
  if (!reading.ok) return [unreadable(place, reading.reason)];
  return reading.text.trim() === ''
    ? [
        {
          path: place.path,
          found: `${quote(file)}, which is empty`,
          expected: 'a file that holds the secret',
        },
      ]
    : [];
}
