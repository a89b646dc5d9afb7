import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FileRecords } from './file-records.ts';
import { recordName } from './record-store.ts';
import { SealedRecords } from './sealed-records.ts';

let root: string;
let folder: string;
let files: FileRecords;
const name = recordName('github', ['login', 'github', null]);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portcullis-records-'));
  folder = join(root, 'deep', 'tokens');
  files = new FileRecords(folder, Date.now);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('a record in a file', () => {
  it('is for its owner alone, in a folder for its owner alone, whatever the mask (H12)', async () => {
    for (const mask of [0o000, 0o022, 0o777]) {
      const before = process.umask(mask);
      try {
        expect(await files.write(name, 'text')).toEqual({ is: 'kept' });
      } finally {
        process.umask(before);
      }
      expect([modeOf(folder), modeOf(join(folder, name))]).toEqual([0o700, 0o600]);
    }
  });

  it('closes a folder that was open to others before it writes (H12)', async () => {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    await files.write(name, 'text');
    expect(modeOf(folder)).toBe(0o700);
  });

  it('is replaced whole: a reader has the old one or the new one, and nothing else is left behind (H12)', async () => {
    const texts = ['a', 'b'].map((letter) => letter.repeat(100_000));
    await files.write(name, texts[0] ?? '');
    const writing = { isOver: false };
    const seen = new Set<string>();
    const read = async (): Promise<void> => {
      while (!writing.isOver) {
        const reading = await files.read(name);
        seen.add(reading.is === 'read' ? reading.text : reading.is);
      }
    };
    const reading = read();
    for (let round = 1; round <= 20; round += 1) await files.write(name, texts[round % 2] ?? '');
    writing.isOver = true;
    await reading;
    expect([...seen].every((text) => texts.includes(text))).toBe(true);
    expect(readdirSync(folder)).toEqual([name]);
  });

  it('is read again after another process changed it, and not before (H02)', async () => {
    expect(await files.read(name)).toEqual({ is: 'absent' });
    await files.write(name, 'one');
    const first = await files.read(name);
    if (first.is !== 'read') throw new Error('nothing was read');
    expect(await files.read(name, first.version)).toEqual({ is: 'same' });
    // Of the same size and at the same time: its inode is another.
    const { atime, mtime } = statSync(join(folder, name));
    await files.write(name, 'two');
    utimesSync(join(folder, name), atime, mtime);
    expect(await files.read(name, first.version)).toMatchObject({ is: 'read', text: 'two' });
    rmSync(join(folder, name));
    expect(await files.read(name, first.version)).toEqual({ is: 'absent' });
  });

  it('is unavailable where its folder is none, and a write says so and leaves nothing', async () => {
    writeFileSync(join(root, 'deep'), '');
    expect(await files.read(name)).toEqual({ is: 'unavailable', detail: 'the token store: ENOTDIR' });
    for (const outcome of [await files.write(name, 'text'), await files.claim(name, 1000)])
      expect(outcome).toMatchObject({ is: 'unavailable' });
  });

  it('is nothing usable where something else lies there: a folder, a link to nowhere, more than any record', async () => {
    await files.write(name, 'text');
    rmSync(join(folder, name));
    writeFileSync(join(folder, name), 'x'.repeat(300_000));
    expect(await files.read(name)).toMatchObject({ is: 'read', text: '' });
    rmSync(join(folder, name));
    symlinkSync(join(root, 'nowhere'), join(folder, name));
    expect(await files.read(name)).toEqual({ is: 'absent' });
  });

  it('is claimed by one at a time, and a claim that a dead process left is taken after its time (H03)', async () => {
    const held = await files.claim(name, 10_000);
    expect(held.is).toBe('held');
    expect(await files.claim(name, 10_000)).toEqual({ is: 'taken' });
    const lock = join(folder, `${name}.lock`);
    const past = Date.now() / 1000 - 11;
    utimesSync(lock, past, past);
    const next = await files.claim(name, 10_000);
    if (next.is !== 'held') throw new Error('the claim of the dead is still there');
    // The dead was only asleep; the claim isn't its own any more.
    if (held.is === 'held') await held.release();
    expect(await files.claim(name, 10_000)).toEqual({ is: 'taken' });
    await next.release();
    expect(existsSync(lock)).toBe(false);
  });
});

describe('the name of a record', () => {
  it('never leads out of the folder, and is another one for other parts (H12)', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.array(fc.option(fc.string({ unit: 'binary' })), { maxLength: 5 }),
        fc.array(fc.option(fc.string({ unit: 'binary' })), { maxLength: 5 }),
        (label, parts, others) => {
          const made = recordName(label, parts);
          expect(made).toMatch(/^[a-z0-9-]{0,40}-[0-9a-f]{64}$/);
          expect(recordName(label, others) === made).toBe(JSON.stringify(parts) === JSON.stringify(others));
        },
      ),
    );
    for (const label of ['../../etc/passwd', '/etc/passwd', '..', '.', 'C:\\x', '\0'])
      expect(recordName(label, [label])).toMatch(/^[a-z0-9-]*-[0-9a-f]{64}$/);
  });
});

describe('a sealed record', () => {
  const secrets = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')] as const;
  const text = 'a refresh token and all else that must not be read';

  it('shows nothing of its text, and opens with the key alone (H12)', async () => {
    const sealed = new SealedRecords(files, [secrets[0]]);
    await sealed.write(name, text);
    const kept = readFileSync(join(folder, name), 'utf8');
    expect(Buffer.from(kept, 'base64url').includes('refresh')).toBe(false);
    expect(await sealed.read(name)).toMatchObject({ is: 'read', text });
    expect(await new SealedRecords(files, [secrets[1]]).read(name)).toEqual({ is: 'absent' });
  });

  it('opens with a key of before a rotation, and is sealed with the new one', async () => {
    await new SealedRecords(files, [secrets[0]]).write(name, text);
    const rotating = new SealedRecords(files, [secrets[1], secrets[0]]);
    expect(await rotating.read(name)).toMatchObject({ text });
    await rotating.write(name, text);
    expect(await new SealedRecords(files, [secrets[1]]).read(name)).toMatchObject({ text });
  });

  it('counts as absent once a bit of it is another, it is cut, or it was moved to another name (H12)', async () => {
    const sealed = new SealedRecords(files, [secrets[0]]);
    await sealed.write(name, text);
    const kept = readFileSync(join(folder, name), 'utf8');
    const other = recordName('github', ['login', 'github', 'eve']);
    await files.write(other, kept);
    expect(await sealed.read(other)).toEqual({ is: 'absent' });
    const bytes = Buffer.from(kept, 'base64url');
    for (let at = 0; at < bytes.length; at += 7) {
      const forged = Buffer.from(bytes);
      forged[at] = (forged[at] ?? 0) ^ 1;
      await files.write(name, forged.toString('base64url'));
      expect(await sealed.read(name)).toEqual({ is: 'absent' });
    }
    for (const broken of ['', 'x', '{}', kept.slice(0, 40), '\0\0\0']) {
      await files.write(name, broken);
      expect(await sealed.read(name)).toEqual({ is: 'absent' });
    }
  });
});
