import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { advertisedScopes, LiveScopes } from './advertised-scopes.ts';

const metadataOf = (scopes: unknown) => ({
  url: 'https://a.example/.well-known/oauth-authorization-server',
  text: '',
  members: { scopes_supported: scopes },
});

/** A server whose answer the test sets. */
function server(scopes?: unknown) {
  const said = { scopes, asked: 0, dead: scopes === undefined };
  let metadata = metadataOf(scopes);
  return Object.assign(said, {
    get() {
      said.asked += 1;
      if (metadata.members.scopes_supported !== said.scopes) metadata = metadataOf(said.scopes);
      return Promise.resolve(
        said.dead
          ? ({ ok: false, failure: 'unreachable', detail: 'refused' } as const)
          : ({ ok: true, metadata } as const),
      );
    },
  });
}

describe('the scopes that a server advertises', () => {
  it('are clean whatever it lists: of RFC 6749, once, no offline_access, at most 200 of at most 200 (W07)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constant('ok'), fc.anything())),
        (listed) => {
          const scopes = advertisedScopes(metadataOf([...listed, 'offline_access', 'x'.repeat(201)]));
          for (const scope of scopes) expect(scope).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/);
          expect(scopes).not.toContain('offline_access');
          expect(new Set(scopes).size).toBe(scopes.length);
          expect(scopes.length).toBeLessThanOrEqual(200);
          expect(scopes.includes('ok')).toBe(listed.includes('ok'));
        },
      ),
    );
  });

  it.each([undefined, null, 'a b', 7, { 0: 'a', length: 1 }])('are none where it says %j', (listed) => {
    expect(advertisedScopes(metadataOf(listed))).toEqual([]);
  });
});

describe('live scopes', () => {
  it('are those of all servers in their order, each once (W05)', async () => {
    const live = new LiveScopes([server(['b', 'a']), server(), server(['c', 'a'])]);
    expect(await live.get()).toEqual(['b', 'a', 'c']);
  });

  it('at a glance are what was known last, and the look makes the next one fresh (W07)', async () => {
    const one = server(['a']);
    const live = new LiveScopes([one]);
    expect(live.glance()).toEqual([]);
    await Promise.resolve();
    await live.get();
    const known = live.glance();
    expect(known).toEqual(['a']);
    expect(live.glance()).toBe(known);
    one.scopes = ['b'];
    expect(live.glance()).toBe(known);
    await live.get();
    expect(live.glance()).toEqual(['b']);
  });

  it('are waited for by a thousand; whoever comes then gets what was known last (D-010)', async () => {
    const one = server(['a']);
    const live = new LiveScopes([one]);
    await live.get();
    const get = one.get.bind(one);
    const held = Promise.withResolvers<void>();
    one.get = () => held.promise.then(get);
    one.scopes = ['b'];
    const waiting = Array.from({ length: 1_000 }, () => live.get());
    expect(await live.get()).toEqual(['a']);
    held.resolve();
    for (const scopes of await Promise.all(waiting)) expect(scopes).toEqual(['b']);
    expect(await live.get()).toEqual(['b']);
  });

  it('are asked for once at a time, however many look (W07)', () => {
    const one = server(['a']);
    const live = new LiveScopes([one]);
    for (let look = 0; look < 1_000; look += 1) live.glance();
    expect(one.asked).toBe(1);
  });
});
