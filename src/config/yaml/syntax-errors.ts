import type { ErrorCode } from 'yaml';

/** What stands where YAML's grammar wants something else. */
export interface SyntaxWords {
  readonly found: string;
  readonly expected: string;
  readonly hint?: string;
}

/**
 * A syntax error in the operator's words. The parser's own message isn't used: it quotes the text, which may be a
 * secret.
 */
export function describeSyntaxError(code: ErrorCode): SyntaxWords {
  return (
    words[code] ?? {
      found: 'text that is no YAML here',
      expected: 'YAML',
      hint: 'check indentation and quotes of this line and the one above',
    }
  );
}

const nested: SyntaxWords = {
  found: 'a mapping inside of a value',
  expected: 'one key and one value on a line',
  hint: 'check the indentation of the next line, and put a value that holds ": " in quotes',
};

const words: Partial<Readonly<Record<ErrorCode, SyntaxWords>>> = {
  TAB_AS_INDENT: {
    found: 'a tab in the indentation',
    expected: 'spaces',
    hint: 'YAML is indented with spaces alone',
  },
  BAD_INDENT: {
    found: 'a line with less indentation than what it stands in',
    expected: 'the end of the list or mapping above',
    hint: 'a bracket [ or { above may not be closed',
  },
  MISSING_CHAR: {
    found: 'the end of the text',
    expected: 'the closing quote or bracket',
    hint: 'a quote or bracket is opened and never closed',
  },
  MULTILINE_IMPLICIT_KEY: {
    found: 'a key without a value',
    expected: 'a key, a colon and a space, and a value',
    hint: 'is the space after a colon missing, or the indentation of the line below wrong?',
  },
  BLOCK_AS_IMPLICIT_KEY: nested,
  BLOCK_IN_FLOW: {
    found: 'indented lines between brackets',
    expected: 'all items between [ ] or { }, with commas',
  },
  BAD_SCALAR_START: {
    found: 'a text that begins with a reserved character',
    expected: 'the text in quotes',
    hint: 'a text that begins with @, ` or % must be quoted',
  },
  BAD_DQ_ESCAPE: {
    found: 'a backslash that begins no escape',
    expected: 'an escape such as \\n or \\"',
    hint: 'use single quotes where backslashes are meant as they are',
  },
  BAD_ALIAS: {
    found: 'a broken anchor or alias',
    expected: 'a value',
    hint: 'a text that begins with & or * must be quoted',
  },
  UNEXPECTED_TOKEN: {
    found: 'text that belongs to nothing',
    expected: 'the next key or the next item',
    hint: 'check the indentation of this line, and quotes inside of quotes',
  },
  RESOURCE_EXHAUSTION: {
    found: 'lists or mappings nested too deeply to be read',
    expected: 'a configuration',
  },
};
