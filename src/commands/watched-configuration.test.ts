import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, describe, expect, it } from 'vitest';

import { watchConfiguration } from './watched-configuration.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A watched file whose time the test tells. */
function watched(whileRead: (file: string) => void = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-watched-'));
  const file = join(folder, 'config.yaml');
  const secret = join(folder, 'secret');
  writeFileSync(file, 'first');
  writeFileSync(secret, 'first');
  const time = { nowMs: 0 };
  const taken: string[] = [];
  const end = watchConfiguration({
    configuration: file,
    files: () => [file, secret],
    read() {
      const text = readFileSync(file, 'utf8');
      whileRead(file);
      return text;
    },
    take: (text) => taken.push(text),
    now: () => time.nowMs,
  });
  ends.push(() => {
    end();
    rmSync(folder, { recursive: true, force: true });
  });
  return { file, secret, time, taken };
}

/** Some looks long. */
const aWhile = (): Promise<void> => sleep(150);

/** Lets time pass until there is one. */
async function comesTo(count: () => number, { time }: { readonly time: { nowMs: number } }): Promise<void> {
  for (let step = 0; step < 250 && count() === 0; step += 1) {
    time.nowMs += 20;
    await sleep(20);
  }
  expect(count()).toBe(1);
}

describe('a watched configuration', () => {
  it('is taken once it has been quiet, and once only (O1, D-017)', async () => {
    const { file, time, taken } = watched();
    writeFileSync(file, 'half');
    await aWhile();
    time.nowMs = 150;
    writeFileSync(file, 'half and half');
    await aWhile();
    time.nowMs = 349;
    await aWhile();
    expect(taken).toEqual([]);
    await comesTo(() => taken.length, { time });
    time.nowMs += 10_000;
    await aWhile();
    expect(taken).toEqual(['half and half']);
  });

  it('that is written in place without a pause is never taken; one that is replaced all the time is (D-017)', async () => {
    const { file, time, taken } = watched();
    for (let step = 0; step < 10; step += 1) {
      writeFileSync(file, 'x'.repeat(step));
      await sleep(60);
      time.nowMs += 100;
    }
    expect(taken).toEqual([]);
    for (let step = 0; step < 40 && taken.length === 0; step += 1) {
      const next = `${file}.${step}`;
      writeFileSync(next, `whole ${step}`);
      renameSync(next, file);
      await sleep(60);
      time.nowMs += 100;
    }
    expect(taken[0]).toMatch(/^whole \d+$/);
  });

  it('that changes while it is read is read again (D-017)', async () => {
    let readings = 0;
    const { file, time, taken } = watched((name) => {
      readings += 1;
      if (readings === 1) writeFileSync(name, 'changed while it was read');
    });
    writeFileSync(file, 'second');
    await comesTo(() => readings, { time });
    await aWhile();
    expect(taken).toEqual([]);
    await comesTo(() => taken.length, { time });
    expect(taken).toEqual(['changed while it was read']);
  });

  it('is read anew when a file that it names changes (O1)', async () => {
    const { secret, time, taken } = watched();
    writeFileSync(secret, 'second');
    // No event tells of it.
    await comesTo(() => taken.length, { time });
  });
});
