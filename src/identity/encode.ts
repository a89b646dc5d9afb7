/**
 * Puts a claim into a header value so that it arrives as one value and can be told from every other: visible
 * ASCII as it is, everything else percent-encoded as UTF-8, and `%` too, so that no two values meet. Undefined
 * for control characters and for text that UTF-8 can't carry: what would have to be mended isn't passed on.
 */
export function encodeValue(text: string): string | undefined {
  if (plain.test(text)) return text;
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text) || !text.isWellFormed()) return undefined;
  return text.replace(needsEncoding, (characters) => encodeURIComponent(characters));
}

/** The same for one item of a list: what separates items is encoded inside them. */
export function encodeItem(text: string, separator: ' ' | ','): string | undefined {
  return encodeValue(text)?.replaceAll(separator, separator === ' ' ? '%20' : '%2C');
}

// Spaces inside a value stay; at its ends a recipient would trim them (RFC 9110 §5.5).
const plain = /^[!-$&-~](?:[ -$&-~]*[!-$&-~])?$/;
const needsEncoding = /[^ -$&-~]+|^ +| +$/g;
