/**
 * Prints what the image holds of others' packages, as CycloneDX: `npm run --silent sbom > sbom.json`. npm's own
 * `--omit dev` leaves out packages that development uses as well (zod, jose, undici among them), so npm is shown a
 * lock file that has no development in it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface LockedPackage {
  readonly dev?: boolean;
  readonly link?: boolean;
  readonly devDependencies?: unknown;
}

interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** The lock file without what `npm ci --omit=dev` wouldn't install. */
function shippedPart(lock: LockFile): LockFile {
  const shipped = Object.entries(lock.packages)
    .filter(([path, { dev, link }]) => path === '' || (path.startsWith('node_modules/') && !dev && !link))
    .map(([path, { devDependencies: _left, ...locked }]) => [path, locked] as const);
  return { ...lock, packages: Object.fromEntries(shipped) };
}

/** CycloneDX as text; the folder is called as the component shall be. */
function bill(): string {
  const read = (name: string): unknown =>
    JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
  const { devDependencies: _left, ...manifest } = read('package.json') as LockedPackage & {
    readonly name: string;
  };
  const parent = mkdtempSync(join(tmpdir(), 'portcullis-sbom-'));
  const folder = join(parent, manifest.name);
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    writeFileSync(
      join(folder, 'package-lock.json'),
      JSON.stringify(shippedPart(read('package-lock.json') as LockFile)),
    );
    const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--offline'];
    const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' });
    if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stderr}`);
    return stdout;
  } finally {
    rmSync(parent, { recursive: true });
  }
}

process.stdout.write(bill());
