import { describe, expect, it } from 'vitest';

import { isPlainUri } from './plain-uri.ts';

describe('a resource URI (C-050)', () => {
  it.each([
    'file:///public/a.txt',
    'file:///public/a..b',
    'file:///public/...',
    'file:///public/.hidden',
    'file:///My Documents/ü.md',
    'file:///public/%C3%BC',
    'https://example.com/a?path=../b',
    'memo://insights',
    'screen://localhost/display1',
    'file:///{path}',
    'file:///%25252541',
    '100%',
  ])('is plain: %s', (uri) => {
    expect(isPlainUri(uri)).toBe(true);
  });

  it.each([
    'file:///%2525252541',
    'file:///public/../etc/passwd',
    'file:///public/./x',
    'file:///public/..',
    '../x',
    'file:///public/%2e%2e/etc',
    'file:///public/%2E./etc',
    'file:///public%2f..%2fetc',
    'file:///public/..%2Fetc',
    'file:///public\\..\\etc',
    'file:///public/..%5cetc',
    'file:///public/%252e%252e/etc',
    'file:///public/%25252e%25252e/etc',
    'file:///public/..;a=b/etc',
    'file:///public/..?x',
    'file:///public/..#x',
    'file:///public/a%00.txt',
    'file:///public/a%250a.txt',
    'file:///public/a\n',
    'file:///public/\u0085',
    'file:///public/\ud800',
    'file:///public/%25252525252e%2e/etc',
  ])('is not: %j', (uri) => {
    expect(isPlainUri(uri)).toBe(false);
  });
});
