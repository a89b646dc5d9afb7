/** Keys that come and go, with a replica beside this one (attack catalogue A-059). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mark } from '../support/invariants.ts';
import { startIssuer, type Issuer } from '../support/issuer.ts';
import { eventually } from '../support/loopback.ts';
import { mintKey, type SigningKey } from '../support/signing-key.ts';
import { startScene, type Scene } from './scene.ts';

/** Milliseconds that the gateways' clock is ahead. */
let aheadMs = 0;
let issuer: Issuer;
let replicas: readonly Scene[];

const now = (): number => Math.floor((Date.now() + aheadMs) / 1000);
const pastCooldown = (): void => void (aheadMs += 31_000);

beforeAll(async () => {
  issuer = await startIssuer({ algorithms: ['ES256'], now });
  // Not among a scene's issuers: each would take the other's fetches for its own.
  const options = {
    clock: () => Date.now() + aheadMs,
    issuers: [],
    servers: `authorizationServers: [{ name: as0, issuer: '${issuer.url}', keys: { ttl: 10m } }]`,
  };
  replicas = [await startScene(options), await startScene(options)];
});

afterAll(async () => {
  await Promise.all(replicas.map((replica) => replica.close()));
  await issuer.close();
});

/** For both replicas, and good for a day. */
function tokenBy(key: SigningKey): string {
  const aud = replicas.map((replica) => replica.resource());
  const token = issuer.token({ key, claims: { aud, exp: now() + 86_400 } });
  for (const replica of replicas) replica.secrets.add(token);
  return token;
}

const statuses = (token: string): Promise<readonly number[]> =>
  Promise.all(replicas.map(async (replica) => (await replica.ask({ token })).status));

const fetches = (): number => issuer.hits(issuer.paths.jwks);

describe('a rotation', () => {
  it('A-059: the first tokens of a new key wait for one fetch of each replica, and none is refused', async () => {
    const old = issuer.key('ES256');
    const remembered = tokenBy(old);
    expect(await statuses(remembered)).toEqual([200, 200]);
    pastCooldown();
    const fresh = mintKey('ES256');
    issuer.publish([old, fresh]);
    issuer.behave(issuer.paths.jwks, { delayMs: 200 });
    const before = await Promise.all(replicas.map((replica) => mark(replica)));
    const asked = fetches();
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, at) => statuses(at % 2 === 0 ? tokenBy(fresh) : remembered)),
    );
    expect(new Set(all.flat())).toEqual(new Set([200]));
    expect(fetches() - asked).toBe(2);
    for (const each of before) await each.hold({ forwarded: 20, reasons: ['ok'] });
    issuer.behave(issuer.paths.jwks, 'normal');
  });

  it('A-059: a dropped key, remembered or not, ends on both replicas once the keys are as old as they may get', async () => {
    const [old, fresh] = issuer.keys;
    if (old === undefined || fresh === undefined) throw new Error('two keys are published');
    const [remembered, unseen] = [tokenBy(old), tokenBy(old)];
    expect(await statuses(remembered)).toEqual([200, 200]);
    issuer.publish([fresh]);
    aheadMs += 601_000;
    await eventually('the dropped key is refused everywhere', async () => {
      expect(await statuses(tokenBy(fresh))).toEqual([200, 200]);
      const [first, second] = await statuses(remembered);
      return first === 401 && second === 401;
    });
    expect(await statuses(unseen)).toEqual([401, 401]);
    expect(await statuses(remembered)).toEqual([401, 401]);
  });

  it('A-059: a dropped key that is published again opens again, with the next fetch', async () => {
    const [kept] = issuer.keys;
    if (kept === undefined) throw new Error('a key is published');
    const back = mintKey('ES256');
    pastCooldown();
    issuer.publish([kept, back]);
    const token = tokenBy(back);
    expect(await statuses(token)).toEqual([200, 200]);
    pastCooldown();
    issuer.publish([kept]);
    // A kid that nobody has makes both ask.
    expect(await statuses(tokenBy(mintKey('ES256')))).toEqual([401, 401]);
    expect(await statuses(token)).toEqual([401, 401]);
    pastCooldown();
    issuer.publish([kept, back]);
    expect(await statuses(token)).toEqual([200, 200]);
  });

  it('A-059: another key under the same kid replaces the first; what the first had signed dies with it', async () => {
    const first = mintKey('ES256', 'same');
    const second = mintKey('ES256', 'same');
    pastCooldown();
    issuer.publish([first]);
    const remembered = tokenBy(first);
    expect(await statuses(remembered)).toEqual([200, 200]);
    pastCooldown();
    issuer.publish([second]);
    const asked = fetches();
    expect(await statuses(tokenBy(second))).toEqual([200, 200]);
    expect(fetches() - asked).toBe(2);
    expect(await statuses(remembered)).toEqual([401, 401]);
    // Neither forged nor old signatures make anybody ask again within the cool-down.
    for (let at = 0; at < 5; at += 1)
      expect(await statuses(tokenBy(mintKey('ES256', 'same')))).toEqual([401, 401]);
    expect(fetches() - asked).toBe(2);
  });

  it('A-059: a kid that a stranger named before it was published refuses none of its good tokens', async () => {
    const tomorrow = mintKey('ES256', 'tomorrow');
    pastCooldown();
    expect(await statuses(tokenBy(mintKey('ES256', 'tomorrow')))).toEqual([401, 401]);
    aheadMs += 5_000;
    issuer.publish([...issuer.keys, tomorrow]);
    const asked = fetches();
    const early = tokenBy(tomorrow);
    expect(await statuses(early)).toEqual([503, 503]);
    expect(fetches()).toBe(asked);
    pastCooldown();
    expect(await statuses(early)).toEqual([200, 200]);
  });

  it('A-059: a key set that is emptied by a mistake logs nobody out', async () => {
    const good = mintKey('ES256');
    pastCooldown();
    issuer.publish([good]);
    const token = tokenBy(good);
    expect(await statuses(token)).toEqual([200, 200]);
    issuer.publish([]);
    for (let round = 0; round < 3; round += 1) {
      pastCooldown();
      expect(await statuses(tokenBy(mintKey('ES256')))).toEqual([503, 503]);
      expect(await statuses(token)).toEqual([200, 200]);
    }
  });
});
