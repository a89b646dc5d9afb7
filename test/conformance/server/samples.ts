/** The bytes that tools, prompts and resources of the test server hand out. */

/** One grey pixel. */
export const png = {
  data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNoAAAAggCB2kUIOwAAAABJRU5ErkJggg==',
  mimeType: 'image/png',
} as const;

/** A wave file with a header and no sample: 8 kHz, mono, 8 bit. */
export const wav = {
  data: Buffer.concat([
    Buffer.from('RIFF'),
    uint32(36),
    Buffer.from('WAVEfmt '),
    uint32(16),
    Buffer.from([1, 0, 1, 0]),
    uint32(8_000),
    uint32(8_000),
    Buffer.from([1, 0, 8, 0]),
    Buffer.from('data'),
    uint32(0),
  ]).toString('base64'),
  mimeType: 'audio/wav',
} as const;

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
