import { describe, expect, it } from 'vitest';

import type { Fetch } from '../../vocabulary/ports.ts';
import { BodyTooLong, boundedBody } from './bounded-body.ts';
import type { Fetched } from './fetch-document.ts';
import { deadlineIn, fetchDocument } from './fetch-document.ts';
import { AddressRefused } from './guarded-connector.ts';

const url = 'https://as.example/keys';

/** Answers by address, and notes what was asked. */
function site(answers: Readonly<Record<string, () => Response>>): { fetch: Fetch; asked: string[] } {
  const asked: string[] = [];
  const fetch: Fetch = (address) => {
    asked.push(address);
    return Promise.resolve(answers[address]?.() ?? new Response('', { status: 404 }));
  };
  return { fetch, asked };
}

const json = (body: string, type = 'application/json'): (() => Response) => {
  return () => new Response(body, { headers: { 'content-type': type } });
};
const redirect = (location: string, status = 302): (() => Response) => {
  return () => new Response(null, { status, headers: { location } });
};
const get = (fetch: Fetch): Promise<Fetched> => fetchDocument(fetch, url, deadlineIn(5000));

describe('a document of an authorization server (A12, W06)', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/jwk-set+json',
    'Application/JSON;charset=UTF-8',
  ])('may be %s', async (type) => {
    expect(await get(site({ [url]: json('{"a":1}', type) }).fetch)).toMatchObject({
      ok: true,
      document: { a: 1 },
    });
  });

  it('may say nothing of its type', async () => {
    const untyped = (): Response => new Response(Buffer.from('{}'));
    expect(await get(site({ [url]: untyped }).fetch)).toMatchObject({ ok: true });
  });

  it.each([
    'text/html',
    'text/plain',
    'application/jwt',
    'application/jsonp',
    'text/json',
    'x/application/json',
  ])('is never %s, whatever it holds (A-063)', async (type) => {
    const fetched = await get(site({ [url]: json('{"keys":[]}', type) }).fetch);
    expect(fetched).toMatchObject({ ok: false, failure: 'invalid' });
  });

  it.each([
    ['half a document', '{"a"', 'invalid'],
    ['nothing', '', 'invalid'],
  ])('is JSON, not %s', async (_name, body, failure) => {
    expect(await get(site({ [url]: json(body) }).fetch)).toMatchObject({ ok: false, failure });
  });

  it('is UTF-8', async () => {
    const latin = (): Response => new Response(Buffer.from('{"a":"\xff"}', 'latin1'));
    expect(await get(site({ [url]: latin }).fetch)).toMatchObject({
      failure: 'invalid',
      detail: `${url}: not UTF-8`,
    });
  });

  it.each([201, 204, 304, 401, 404, 500, 503])('does not come with %s', async (status) => {
    const fetched = await get(site({ [url]: () => new Response(null, { status }) }).fetch);
    expect(fetched).toEqual({ ok: false, failure: 'bad_status', detail: `${url} answered ${status}` });
  });

  it('carries no credentials', async () => {
    let sent: RequestInit | undefined;
    await get((_url, init) => {
      sent = init;
      return Promise.resolve(json('{}')());
    });
    expect(Object.keys(sent?.headers ?? {})).toEqual(['accept']);
  });
});

describe('redirects (A-067)', () => {
  it.each([301, 302, 303, 307, 308])('of %s are followed within the origin', async (status) => {
    const { fetch, asked } = site({
      [url]: redirect('/other', status),
      'https://as.example/other': json('{"a":1}'),
    });
    expect(await get(fetch)).toMatchObject({ ok: true, document: { a: 1 } });
    expect(asked).toEqual([url, 'https://as.example/other']);
  });

  it.each([
    'http://as.example/keys',
    'https://as.example:8443/keys',
    'https://evil.example/keys?secret=1',
    '//evil.example/keys',
    'http://169.254.169.254/latest',
    'file:///etc/passwd',
    'data:application/json,{}',
    'https://',
  ])('to %s are not', async (location) => {
    const { fetch, asked } = site({ [url]: redirect(location) });
    const fetched = await get(fetch);
    expect(fetched).toMatchObject({ ok: false, failure: 'bad_status' });
    expect(JSON.stringify(fetched)).not.toContain('secret');
    expect(asked).toEqual([url]);
  });

  it('are followed three times and no more', async () => {
    const hop = (to: number): (() => Response) => redirect(`/${to}`);
    const at = (step: number): string => `https://as.example/${step}`;
    const three = site({ [url]: hop(1), [at(1)]: hop(2), [at(2)]: hop(3), [at(3)]: json('{}') });
    expect(await get(three.fetch)).toMatchObject({ ok: true });
    const endless = site({ [url]: redirect(url) });
    expect(await get(endless.fetch)).toMatchObject({ ok: false, failure: 'bad_status' });
    expect(endless.asked).toHaveLength(4);
  });
});

describe('what went wrong has a word', () => {
  const failing = (error: Error): Promise<Fetched> => get(() => Promise.reject(error));

  it('for a connection that is refused', async () => {
    const cause = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
    expect(await failing(new TypeError('fetch failed', { cause }))).toEqual({
      ok: false,
      failure: 'unreachable',
      detail: `${url}: ECONNREFUSED`,
    });
  });

  it('for an address that is refused', async () => {
    const refused = new AddressRefused('10.0.0.1 is no public address');
    for (const error of [refused, new TypeError('fetch failed', { cause: refused })])
      expect(await failing(error)).toMatchObject({ failure: 'address_refused' });
  });

  it('for a server that takes too long, in its answer or in the middle of it', async () => {
    const silent: Fetch = (_url, { signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      });
    expect(await fetchDocument(silent, url, deadlineIn(10))).toEqual({
      ok: false,
      failure: 'timeout',
      detail: `${url} didn't answer within 10 ms`,
    });
  });

  it('for a body without an end, which is read no further than allowed (A-063)', async () => {
    let sent = 0;
    const endless = (): Response =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += 1024;
            controller.enqueue(new Uint8Array(1024));
          },
        }),
      );
    const fetched = await get(() => Promise.resolve(boundedBody(endless(), 10_000)));
    expect(fetched).toEqual({
      ok: false,
      failure: 'invalid',
      detail: `${url} answered more than 10000 bytes`,
    });
    expect(sent).toBeLessThan(20_000);
    await expect(boundedBody(endless(), 10_000).text()).rejects.toBeInstanceOf(BodyTooLong);
  });
});
