import { canSignWith, readClientKey } from './client-key.ts';
import type { Algorithm } from './configuration.ts';
import { quote } from './describe.ts';
import type { Finding } from './finding.ts';
import { isWithin } from './path.ts';
import type { Path } from './path.ts';
import { belongTogether, holds, servesTls } from './pem.ts';
import type { SecretPurpose } from './secret-text.ts';
import { secretFault } from './secret-text.ts';
import type { NamedFiles, SecretName, Sources } from './sources.ts';
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
      if (field.note.secret !== true)
        return [
          ...checkPair(path, value, world.files),
          ...checkClientAlgorithm(path, value, world),
          ...checkRedisTls(path, value, world),
        ];
      const findings = checkSecret(path, value, world);
      const { holds: purpose } = field.note;
      if (findings.length > 0 || purpose === undefined) return findings;
      return purpose === 'client-key'
        ? checkClientKey(path, value as SecretName, world)
        : checkSecretText({ path, named: value as SecretName, files: world.files }, purpose);
    });
}

/** The secret is there; what it is for may ask for more. */
function checkSecretText(
  { path, named, files }: { readonly path: Path; readonly named: SecretName; readonly files: NamedFiles },
  purpose: SecretPurpose,
): readonly Finding[] {
  const fault = secretFault(files.secretOf(named), purpose);
  return fault === undefined ? [] : [{ path: [...path, 'env' in named ? 'env' : 'file'], ...fault }];
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

/** TLS would fail at the first connection, or at the start with OpenSSL's words, or a listener that runs would at a reload. */
function checkPair(path: Path, value: object, files: NamedFiles): readonly Finding[] {
  const { certFile, keyFile } = value as { readonly certFile?: unknown; readonly keyFile?: unknown };
  if (typeof certFile !== 'string' || typeof keyFile !== 'string') return [];
  const [certificates, key] = [files.read(certFile), files.read(keyFile)];
  if (!certificates.ok || !key.ok || !holds(certificates.text, 'certificates') || !holds(key.text, 'key'))
    return [];
  if (belongTogether(certificates.text, key.text)) {
    if (servesTls(certificates.text, key.text)) return [];
    const expected = 'a chain of certificates in PEM form, each whole, with keys that TLS takes';
    return [{ path: [...path, 'certFile'], found: `${quote(certFile)}, which TLS can't use`, expected }];
  }
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

/** The authorization server would refuse every call that the gateway makes. */
function checkClientKey(path: Path, named: SecretName, world: World): readonly Finding[] {
  const reading = readSecret(named, world);
  if (reading === undefined || readClientKey(reading) !== undefined) return [];
  const [key, place] =
    'env' in named ? (['env', `the variable ${named.env}`] as const) : (['file', quote(named.file)] as const);
  return [
    {
      path: [...path, key],
      found: `${place}, which holds something else`,
      expected:
        'a private key, PKCS #8 in PEM form or a JWK: RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519',
    },
  ];
}

function checkClientAlgorithm(path: Path, value: object, world: World): readonly Finding[] {
  const { privateKey, algorithm } = value as {
    readonly privateKey?: SecretName;
    readonly algorithm?: unknown;
  };
  if (typeof privateKey !== 'object' || typeof algorithm !== 'string') return [];
  const key = readClientKey(readSecret(privateKey, world) ?? '');
  const wanted = algorithm === 'Ed25519' ? 'EdDSA' : (algorithm as Algorithm);
  if (key === undefined || canSignWith(key, wanted)) return [];
  return [
    {
      path: [...path, 'algorithm'],
      found: `${quote(algorithm)}, which privateKey can't sign with`,
      expected: 'an algorithm of this key',
      hint: `${key.algorithm} is one; it is taken where algorithm is left out`,
    },
  ];
}

/** Certificates for a connection that has none. */
function checkRedisTls(path: Path, value: object, world: World): readonly Finding[] {
  const { url, tls } = value as { readonly url?: SecretName; readonly tls?: unknown };
  if (typeof url !== 'object' || tls === undefined) return [];
  const written = readSecret(url, world);
  return written === undefined || /^rediss:/i.test(written)
    ? []
    : [
        {
          path: [...path, 'tls'],
          at: 'key',
          found: 'tls for a URL that is not rediss://',
          expected: 'a rediss:// URL, or no tls',
        },
      ];
}

/** Undefined where it isn't there. */
function readSecret(named: SecretName, { environment, files }: World): string | undefined {
  if ('env' in named) return environment[named.env];
  const reading = files.read(named.file);
  return reading.ok ? reading.text : undefined;
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
