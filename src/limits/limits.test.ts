import { describe, expect, it } from 'vitest';

import type { Principal } from '../vocabulary/principal.ts';
import { addressKey } from './address-key.ts';
import { Places } from './places.ts';
import { ToolNames } from './tool-names.ts';

describe('an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['192.0.2.1:5678', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::1', '2001:db8:1:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    [undefined, 'unknown'],
    ['', 'unknown'],
    ['unknown', 'unknown'],
    ['_hidden', 'unknown'],
    ['1'.repeat(100_000), 'unknown'],
  ])('%s is counted by %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

const principal = (subject: string, issuer = 'https://a.example'): Principal =>
  ({ issuer, subject }) as Principal;

describe('places', () => {
  it('are the same for all tokens of a person, and others for each other person', () => {
    const places = new Places();
    const held = places.heldBy(principal('alice'));
    expect(places.heldBy(principal('alice'))).toBe(held);
    expect(places.heldBy(principal('alice', 'https://b.example'))).not.toBe(held);
    expect(places.heldBy(principal('bob'))).not.toBe(held);
  });

  it('of those who have nothing under way are forgotten when there are many, and no others', () => {
    const places = new Places(100);
    const busy = principal('busy');
    const held = places.heldBy(busy);
    held.calls += 1;
    const idle = principal('idle');
    const forgotten = places.heldBy(idle);
    for (let index = 0; index < 1000; index += 1) places.heldBy(principal(`other-${index}`));
    expect(places.size).toBeLessThanOrEqual(101);
    expect(places.heldBy(busy)).toBe(held);
    expect(places.heldBy(principal('busy'))).toBe(held);
    // Who comes back by a token that is still known gets the place that everyone of its key gets.
    const anew = places.heldBy(idle);
    expect(anew).not.toBe(forgotten);
    expect(places.heldBy(principal('idle'))).toBe(anew);
  });
});

describe('tool names', () => {
  it('count by themselves up to a number, then together; in the next window anew', () => {
    let now = 0;
    const names = new ToolNames({ perMs: 1000, clock: () => now });
    const keys = new Set(Array.from({ length: 1000 }, (_, index) => names.keyOf('alice', `tool-${index}`)));
    expect(keys.size).toBe(251);
    expect(names.keyOf('alice', 'tool-3')).not.toBe(names.keyOf('alice', 'tool-4'));
    expect(names.keyOf('alice', 'one more')).toBe(names.keyOf('alice', 'and another'));
    expect(names.keyOf('bob', 'one more')).not.toBe(names.keyOf('bob', 'and another'));
    now = 1001;
    expect(names.keyOf('alice', 'one more')).not.toBe(names.keyOf('alice', 'and another'));
  });

  it('are kept short', () => {
    const names = new ToolNames({ perMs: 1000, clock: () => 0 });
    const [one, other] = ['a', 'b'].map((end) => names.keyOf('alice', `${'x'.repeat(1_000_000)}${end}`));
    expect(one?.length).toBeLessThan(100);
    expect(one).not.toBe(other);
  });
});
