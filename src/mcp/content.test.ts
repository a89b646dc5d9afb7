import { describe, expect, it } from 'vitest';

import { checkContent } from './content.ts';

describe('content', () => {
  it.each([
    ['application/json', undefined],
    ['Application/JSON', undefined],
    ['application/json; charset=utf-8', undefined],
    ['application/json;charset="UTF-8"', undefined],
    ['application/json ; charset=utf8', undefined],
    ['application/json; charset=utf-16', 'charset'],
    ['application/json; charset=latin1', 'charset'],
    ['application/json; boundary=x', 'content_type'],
    ['text/plain', 'content_type'],
    ['application/json-rpc', 'content_type'],
    ['application/x-www-form-urlencoded', 'content_type'],
    ['application/json, text/plain', 'content_type'],
    [undefined, 'content_type'],
  ])('takes a body labelled %s as %s (C-005, C-007)', (type, expected) => {
    expect(checkContent(type === undefined ? {} : { 'content-type': type })?.reason).toBe(expected);
  });

  it('tells the operator what it found', () => {
    expect(checkContent({})).toMatchObject({ detail: 'no Content-Type' });
    expect(checkContent({ 'content-type': 'text/plain' })).toMatchObject({
      detail: 'Content-Type "text/plain"',
    });
    expect(checkContent({ 'content-type': 'application/json', 'content-encoding': 'br' })).toMatchObject({
      detail: 'Content-Encoding "br"',
    });
  });

  it.each([
    ['gzip', 'content_encoding'],
    ['gzip, gzip', 'content_encoding'],
    ['br', 'content_encoding'],
    ['', 'content_encoding'],
    ['identity', undefined],
    ['Identity', undefined],
  ])('takes a body encoded as %j as %s (C-008)', (encoding, expected) => {
    expect(checkContent({ 'content-type': 'application/json', 'content-encoding': encoding })?.reason).toBe(
      expected,
    );
  });
});
