import { X509Certificate, createPrivateKey } from 'node:crypto';

import { quote } from './describe.ts';
import type { Finding } from './finding.ts';
import { isWithin } from './path.ts';
import type { Path } from './path.ts';
import type { NamedFiles, Sources } from './sources.ts';
import type { Occupied } from './structure.ts';

/** Looks behind what the file only names: files and variables must be there and hold what they are for. */
export function checkReferences(
  occupied: readonly Occupied[],
  faulty: readonly Path[],
  { environment, files }: { readonly environment: Sources['environment']; readonly files: NamedFiles },
): readonly Finding[] {
  return occupied
    .filter(({ path }) => !faulty.some((fault) => isWithin(fault, path)))
    .flatMap(({ path, field, value }) => {
      if (field.note.reads !== undefined && typeof value === 'string')
        return checkPem({ path, file: value, files }, field.note.reads);
      if (field.note.secret === true && typeof value === 'object' && value !== null)
        return checkSecret(path, value, { environment, files });
      return [];
    });
}

interface NamedFile {
  readonly path: Path;
  readonly file: string;
  readonly files: NamedFiles;
}

function checkPem({ path, file, files }: NamedFile, holds: 'certificates' | 'key'): readonly Finding[] {
  const reading = files.read(file);
  if (!reading.ok) return [unreadable({ path, file, files }, reading.reason)];
  const expected =
    holds === 'key'
      ? 'a file with a private key in PEM form, without a passphrase'
      : 'a file with certificates in PEM form';
  return parses(reading.text, holds)
    ? []
    : [{ path, found: `${quote(file)}, which holds something else`, expected }];
}

function parses(pem: string, holds: 'certificates' | 'key'): boolean {
  try {
    if (holds === 'key') createPrivateKey(pem);
    else new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
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

function checkSecret(
  path: Path,
  named: object,
  { environment, files }: { readonly environment: Sources['environment']; readonly files: NamedFiles },
): readonly Finding[] {
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
