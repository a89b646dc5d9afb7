/** What is built in, by the lock file and the manifests (attack catalogue E-010). */
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { describe, expect, it } from 'vitest';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly version?: string;
}

interface LockFile {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, Locked>>;
}

const root = new URL('../../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as LockFile;
const runtime = JSON.parse(read('tools/runtime/package.json')) as Required<Pick<Manifest, 'version'>>;

/** The first versions without what was found in the ones before. */
const floors: Readonly<Record<string, string>> = {
  fastify: '5.8.5',
  '@fastify/reply-from': '12.6.4',
  undici: '7.24.0',
  jose: '6.2.10',
};

/** Of the Node.js that the image and the tests run on: its security releases of June 2026. */
const nodeFloor = '24.17.0';

/** Licences whose terms a notice fulfils. */
const licences = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
]);

function isBelow(version: string, floor: string): boolean {
  const [found, least] = [version, floor].map((text) => text.split(/[.-]/, 3).map(Number));
  const at = [0, 1, 2].find((index) => found?.[index] !== least?.[index]);
  return at !== undefined && !((found?.[at] ?? 0) > (least?.[at] ?? 0));
}

const nameOf = (path: string): string => path.replace(/^.*node_modules\//, '');

/** Every rule that the lock file has to keep, as the sentences of those that are broken. */
function findFaults({ lockfileVersion, packages }: LockFile): readonly string[] {
  const installed = Object.entries(packages).filter(([path]) => path.includes('node_modules/'));
  const shipped = installed.filter(([, { dev, link }]) => dev !== true && link !== true);
  return [
    ...(lockfileVersion === 3 ? [] : [`version ${lockfileVersion} of the lock file`]),
    ...installed.flatMap(([path, { link, integrity, resolved }]) => {
      if (link === true) return resolved === 'tools/runtime' ? [] : [`${path} is a link to ${resolved}`];
      return [
        ...(/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? '') ? [] : [`${path} has no hash`]),
        // The registry's own address is left out of the lock file: whatever stands here is another place.
        ...(resolved === undefined ? [] : [`${path} comes from ${resolved}`]),
      ];
    }),
    ...shipped.flatMap(([path, { license = 'none', version = '0.0.0', hasInstallScript }]) => {
      const floor = floors[nameOf(path)];
      return [
        ...(license
          .replaceAll(/[()]/g, '')
          .split(/ (?:AND|OR) /)
          .every((part) => licences.has(part))
          ? []
          : [`${path} has the licence ${license}`]),
        ...(floor !== undefined && isBelow(version, floor) ? [`${path} ${version} is below ${floor}`] : []),
        ...(hasInstallScript === true ? [`${path} runs a script when it is installed`] : []),
      ];
    }),
  ];
}

function isExact(wanted: string): boolean {
  return /^(?:npm:(?:@[a-z0-9-]+\/)?[a-z0-9.-]+@)?\d+\.\d+\.\d+(?:-[a-z0-9.]+)?$/.test(wanted);
}

describe('the lock file', () => {
  it('holds a hash for everything, nothing from elsewhere, no known fault and no licence that asks for more (E-010)', () => {
    expect(Object.keys(lock.packages).length).toBeGreaterThan(100);
    expect(findFaults(lock)).toEqual([]);
    for (const name of Object.keys(floors)) expect(lock.packages).toHaveProperty([`node_modules/${name}`]);
  });

  const undici = lock.packages['node_modules/undici'];
  it.each<readonly [string, string, Locked, RegExp]>([
    ['a hash left out', 'node_modules/undici', { version: '7.30.2', license: 'MIT' }, /has no hash/],
    [
      'a weak hash',
      'node_modules/undici',
      { ...undici, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' },
      /has no hash/,
    ],
    [
      'another place',
      'node_modules/x',
      { ...undici, resolved: 'git+ssh://git@example.com/x.git#1' },
      /comes from git/,
    ],
    [
      'another archive',
      'node_modules/x',
      { ...undici, resolved: 'https://example.com/x.tgz' },
      /comes from https/,
    ],
    ['a link', 'node_modules/x', { link: true, resolved: '../x' }, /is a link/],
    ['a copyleft licence', 'node_modules/x', { ...undici, license: 'GPL-3.0-only' }, /GPL/],
    ['no licence', 'node_modules/x', { ...undici, license: 'UNLICENSED' }, /UNLICENSED/],
    ['a script at install', 'node_modules/x', { ...undici, hasInstallScript: true }, /runs a script/],
    ['an old undici', 'node_modules/undici', { ...undici, version: '7.23.9' }, /below 7\.24\.0/],
    [
      'an old copy below',
      'node_modules/a/node_modules/undici',
      { ...undici, version: '6.24.1' },
      /below 7\.24\.0/,
    ],
    ['a release candidate', 'node_modules/jose', { ...undici, version: '6.2.9-rc.1' }, /below 6\.2\.10/],
  ])('with %s would be refused (E-010)', (_what, path, entry, says) => {
    const changed = { ...lock, packages: { ...lock.packages, [path]: entry } };
    expect(findFaults(changed)).toEqual([expect.stringMatching(says)]);
  });
});

describe('the manifests', () => {
  it('name exact versions, and no script that runs at install (E-010)', () => {
    const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
    const loose = Object.entries(wanted).filter(([, version]) => !isExact(version));
    expect(loose).toEqual([['@portcullis/runtime', 'file:tools/runtime']]);
    const others = ['^1.0.0', '~1.0.0', '1', 'latest', '*', '>=1.0.0', 'github:a/b', 'npm:a@^1.0.0'];
    expect(others.filter(isExact)).toEqual([]);
    const atInstall = /^(?:pre|post)?(?:install|prepare|prepublish)$/;
    expect(Object.keys(manifest.scripts ?? {}).filter((name) => atInstall.test(name))).toEqual([]);
    expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true');
    for (const module of read('test/chart/schema-modules.txt').trim().split('\n'))
      expect(module).toMatch(/^[a-z0-9./-]+@v\d+\.\d+\.\d+$/);
  });

  it('name everything that the program imports as a production dependency (E-010)', () => {
    const files = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
    const imported = new Set(
      files.flatMap((file) =>
        [...read(file).matchAll(/^(?:import|export)\b(?! type\b)[^;]*? from '([^.'][^']*)';/gm)].map(
          ([, name = '']) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'),
        ),
      ),
    );
    const others = [...imported].filter((name) => !isBuiltin(name));
    expect(others.length).toBeGreaterThan(10);
    expect(others.filter((name) => manifest.dependencies[name] === undefined)).toEqual([]);
  });

  it('run on a Node.js that has the fixes of its HTTP server and client, in the image as well (E-010)', () => {
    expect(isBelow(runtime.version, nodeFloor)).toBe(false);
    const bases = [...read('Dockerfile').matchAll(/^FROM node:([0-9.]+)-/gm)].map(([, version]) => version);
    expect(new Set(bases)).toEqual(new Set([runtime.version]));
  });
});
