/** As many tries as a person waits for. */
const maximumTries = 500;

/** The input with as much left out as can be while it still fails: ever smaller pieces, each tried without. */
export async function minimise(
  input: Buffer,
  fails: (candidate: Buffer) => Promise<boolean>,
): Promise<Buffer> {
  let smallest = input;
  let tries = 0;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.length && tries < maximumTries; tries += 1) {
      const candidate = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]);
      if (await fails(candidate)) smallest = candidate;
      else at += size;
    }
  }
  return smallest;
}
