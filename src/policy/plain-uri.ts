/** Each round takes one layer of encoding off what matters; nobody wraps a dot more often in good faith. */
const maximumRounds = 4;

const control = /\p{Cc}|%(?:[01][0-9a-f]|7f)/iu;

const encoded = /%(?:25|2e|2f|5c)/gi;
const plain: Readonly<Record<string, string>> = { '%25': '%', '%2e': '.', '%2f': '/', '%5c': '\\' };

/**
 * Whether a resource URI says where it leads. Patterns are compared with the URI as it is written, so one that a server
 * would first tidy up, `file:///public/../etc`, could mean another resource than the one that a rule admits: dot segments,
 * in any encoding, control characters and what UTF-8 can't hold are plain to nobody. RFC 3986 §5.2.4.
 */
export function isPlainUri(uri: string): boolean {
  if (!uri.isWellFormed()) return false;
  let text = uri;
  for (let round = 0; round < maximumRounds; round += 1) {
    if (control.test(text)) return false;
    // A server that drops the parameters of a segment reads `..;x` as `..`.
    if (text.split(/[/\\?#]/).some((segment) => /^\.{1,2}(?:;.*)?$/.test(segment))) return false;
    const decoded = text.replace(encoded, (found) => plain[found.toLowerCase()] ?? found);
    if (decoded === text) return true;
    text = decoded;
  }
  return false;
}
