/** An event stream as WHATWG HTML §9.2.6 has it read, in a second hand: slow, plain, and all at once. */
export interface ReferenceEvent {
  /** `message` where none was named. */
  readonly type: string;
  readonly data: string;
  /** The last one named so far: where a client that comes back goes on. */
  readonly id: string;
}

export interface ReferenceStream {
  readonly events: readonly ReferenceEvent[];
  /** The bytes end behind an empty line, or where nothing has come yet. */
  readonly isBetween: boolean;
}

export function readReference(bytes: Buffer): ReferenceStream {
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  const lines = text.split(/\r\n|\n|\r/);
  const open = lines.pop() ?? '';
  const events: ReferenceEvent[] = [];
  let type = '';
  let id = '';
  let data: string[] = [];
  for (const line of lines) {
    if (line === '') {
      if (data.length > 0) events.push({ type: type === '' ? 'message' : type, data: data.join('\n'), id });
      type = '';
      data = [];
      continue;
    }
    const [, name, value = ''] = /^([^:]*)(?:: ?)?(.*)$/su.exec(line) ?? [];
    if (name === 'event') type = value;
    if (name === 'data') data.push(value);
    if (name === 'id' && !value.includes('\0')) id = value;
  }
  return { events, isBetween: open === '' && (lines.at(-1) ?? '') === '' };
}
