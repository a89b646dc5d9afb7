import { hash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { markup, page, pageHeaders, shownName } from './page.ts';

describe('a page', () => {
  it('escapes whatever is put into it, in text and in attributes', () => {
    const hostile = `<script>"'\`&`;
    const { html } = markup`<a title="${hostile}">${hostile}</a>${[markup`<b>`, markup`${'<i>'}`]}`;
    const text = '&#60;script&#62;&#34;&#39;&#96;&#38;';
    expect(html).toBe(`<a title="${text}">${text}</a><b>&#60;i&#62;`);
    expect(page(hostile, markup``, `https://a.example/?"><script>`)).not.toMatch(/<script|"'/);
  });

  it('has the one style that its policy allows, letter for letter', () => {
    const [, style = ''] = /<style>([^]*)<\/style>/.exec(page('Title', markup``)) ?? [];
    expect(style).not.toBe('');
    expect(pageHeaders['content-security-policy']).toContain(
      `style-src 'sha256-${hash('sha256', style, 'base64')}';`,
    );
  });

  it('goes on to another address by itself only where it is told to', () => {
    expect(page('Title', markup``)).not.toContain('refresh');
    expect(page('Title', markup``, 'https://a.example/?x=1&y=2')).toContain(
      '<meta http-equiv="refresh" content="0;url=https://a.example/?x=1&#38;y=2">',
    );
  });
});

describe('a name that others chose', () => {
  it.each([
    ['Ada', 'Ada'],
    [' Ada\u202e\u200b\u0000\n ', 'Ada'],
    ['x'.repeat(121), `${'x'.repeat(119)}…`],
    ['\ud800Ada', 'Ada'],
  ])('%j is shown as %j', (name, shown) => expect(shownName(name)).toBe(shown));
});
