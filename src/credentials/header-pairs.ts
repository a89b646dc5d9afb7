/**
 * Headers as name, value, name, value …, with others that take the place of those of the same name, in any case: an
 * upstream that is shown two could take either. Adds to `headers` where it can.
 */
export function withHeaders(headers: string[], added: readonly string[]): string[] {
  const rest = hasOneOf(headers, added) ? withoutHeaders(headers, added) : headers;
  rest.push(...added);
  return rest;
}

/** `headers` without those that have a name of `others`. */
export function withoutHeaders(headers: readonly string[], others: readonly string[]): string[] {
  const rest: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? '';
    if (!hasName(others, name)) rest.push(name, headers[index + 1] ?? '');
  }
  return rest;
}

function hasOneOf(headers: readonly string[], others: readonly string[]): boolean {
  for (let index = 0; index < headers.length; index += 2)
    if (hasName(others, headers[index] ?? '')) return true;
  return false;
}

function hasName(headers: readonly string[], name: string): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const other = headers[index] ?? '';
    if (other.length === name.length && other.toLowerCase() === name.toLowerCase()) return true;
  }
  return false;
}
