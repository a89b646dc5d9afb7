import type { Bytes } from '../configuration.ts';
import type { TextReading } from './text.ts';
import { parsedText } from './text.ts';

const bytesOf = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
type Unit = keyof typeof bytesOf;

const form = /^[0-9]{1,12}(B|KiB|MiB|GiB)$/;

/** Bytes of `512KiB`, `4MiB`; undefined for any other text. */
export function readSize(text: string): Bytes | undefined {
  if (!form.test(text)) return undefined;
  return Number.parseInt(text, 10) * bytesOf[text.replace(/^[0-9]+/, '') as Unit];
}

/** A field that holds a size from one byte to `atMost`; its value is in bytes. */
export function size(atMost: string): ReturnType<typeof parsedText<Bytes>> {
  const most = readSize(atMost) ?? 0;
  const read = (text: string): TextReading<Bytes> => {
    const value = readSize(text);
    if (value === undefined) return { ok: false };
    return value < 1 || value > most
      ? { ok: false, expected: `a size from 1B to ${atMost}` }
      : { ok: true, value };
  };
  return parsedText({
    type: 'size',
    expected: 'a size such as 512KiB or 4MiB',
    pattern: form,
    read,
    hintFor,
  });
}

function hintFor(found: unknown): string | undefined {
  const [, digits, letter] = /^\s*([0-9]{1,9})\s*([kmg]?)i?b?(?:ytes)?\s*$/i.exec(String(found)) ?? [];
  if (digits === undefined || readSize(String(found)) !== undefined) return undefined;
  return letter === undefined || letter === ''
    ? `did you mean ${digits}B or ${digits}MiB?`
    : `did you mean ${digits}${letter.toUpperCase()}iB?`;
}
