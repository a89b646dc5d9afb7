import { beforeEach, describe, expect, it } from 'vitest';

import { ProofKey } from '../../test/support/proof-key.ts';
import type { Configuration, Dpop, Route } from '../config/configuration.ts';
import type { Claim, ReplayStore, Use } from '../state/replay-store.ts';
import type { SentRequest } from './prove-possession.ts';
import { possessionParts, provePossession } from './prove-possession.ts';

const slotMs = 120_000;
const startMs = 15_000_000 * slotMs;
const token = 't-1';
const dpop: Dpop = { mode: 'optional', nonce: false, algorithms: ['ES256'], window: 60_000 };
const route = { path: '/mcp', resource: 'https://tools.example/mcp', dpop } as unknown as Route;
const withNonce: Route = { ...route, dpop: { ...dpop, nonce: true } };
const url = 'https://gate.example/mcp';
const configuration = {
  publicUrl: 'https://gate.example/base',
  sessions: { key: 'a secret of 32 bytes, or of others', previous: ['an older one'] },
} as unknown as Configuration;

let nowMs: number;
let claim: Claim;
let uses: Use[];
let knowsSinceMs: number | undefined;
let parts: ReturnType<typeof partsOf>;
const key = new ProofKey('ES256', () => nowMs / 1000);
const claims = { cnf: { jkt: key.jkt } };

beforeEach(() => {
  [nowMs, claim, uses, knowsSinceMs] = [startMs, 'new', [], undefined];
  parts = partsOf();
});

function partsOf(of = configuration) {
  const replays: ReplayStore = {
    get knowsSinceMs() {
      return knowsSinceMs;
    },
    claim(use) {
      uses.push(use);
      return claim;
    },
  };
  return possessionParts(of, { replays, clock: () => nowMs });
}

function sent(over: Parameters<ProofKey['proof']>[1] = {}): SentRequest {
  return { rawHeaders: ['Host', 'x', 'DPoP', key.proof({ url, token }, over)], method: 'POST', token };
}

const prove = (request: SentRequest, of = route) => provePossession(request, { claims }, of, parts);
const refused = (refusal: Readonly<Record<string, unknown>>) => ({ ok: false, refusal });

describe('a proof of possession (I3)', () => {
  it('holds once for its request, and is then counted as used', async () => {
    expect(await prove(sent({ claims: { jti: 'j' } }))).toEqual({ ok: true, nextNonce: undefined });
    expect(uses).toEqual([{ holder: key.jkt, id: 'j', ttlMs: 70_000 }]);
  });

  it('may be for the route’s resource in place of its public address', async () => {
    expect(await prove(sent({ claims: { htu: route.resource } }))).toMatchObject({ ok: true });
  });

  it('is one line, in any case of its name', async () => {
    expect(await prove({ ...sent(), rawHeaders: ['DPoP-Nonce', 'x', 'x', 'DPoP'] })).toEqual(
      refused({ kind: 'proof-invalid', reason: 'proof_missing' }),
    );
    expect(await prove({ ...sent(), rawHeaders: ['x', 'dpop', 'y', 'z'] })).toEqual(
      refused({ kind: 'proof-invalid', reason: 'proof_missing' }),
    );
    const [, , , proof = ''] = sent().rawHeaders;
    expect(await prove({ ...sent(), rawHeaders: ['dpop', proof, 'DPOP', proof] })).toEqual(
      refused({ kind: 'proof-invalid', reason: 'proof_repeated' }),
    );
    expect(await prove({ ...sent(), rawHeaders: ['dPoP', proof] })).toMatchObject({ ok: true });
  });

  it.each<[string, () => SentRequest, Readonly<Record<string, unknown>>]>([
    [
      'of another form',
      () => sent({ header: { typ: 'JWT' } }),
      { reason: 'proof_type', detail: 'typ "JWT"' },
    ],
    [
      'of another key',
      () => ({
        ...sent(),
        rawHeaders: ['DPoP', new ProofKey('ES256', () => nowMs / 1000).proof({ url, token })],
      }),
      { reason: 'proof_binding', detail: 'the token is bound to another key' },
    ],
    [
      'for another method',
      () => ({ ...sent(), method: 'GET' }),
      { reason: 'proof_method', detail: 'htm "POST", expected GET' },
    ],
    [
      'for another target',
      () => sent({ claims: { htu: 'https://gate.example/base/mcp' } }),
      {
        reason: 'proof_target',
        detail:
          'htu "https://gate.example/base/mcp", expected https://gate.example/mcp or https://tools.example/mcp',
      },
    ],
    [
      'of another time',
      () => sent({ claims: { iat: startMs / 1000 - 61 } }),
      { reason: 'proof_time', detail: 'iat is 61 s ago' },
    ],
    [
      'for another token',
      () => ({ ...sent(), token: 't-2' }),
      { reason: 'proof_token', detail: 'ath is not of this token' },
    ],
  ])('%s is none, and isn’t counted as used', async (_which, request, fault) => {
    expect(await prove(request())).toEqual(refused({ kind: 'proof-invalid', ...fault }));
    expect(uses).toEqual([]);
  });

  it('is none where this process began to remember after it', async () => {
    knowsSinceMs = startMs + 1;
    expect(await prove(sent())).toEqual(
      refused({
        kind: 'proof-invalid',
        reason: 'proof_time',
        detail: 'made before this process began to remember',
      }),
    );
  });

  it.each<[Claim, Readonly<Record<string, unknown>>]>([
    ['seen', { kind: 'proof-invalid', reason: 'proof_replayed' }],
    ['full', { kind: 'replay-unknown', reason: 'replay_store_full', retryAfterSeconds: 5 }],
    ['unavailable', { kind: 'replay-unknown', reason: 'replay_store_unavailable', retryAfterSeconds: 2 }],
  ])('that is %s in the store doesn’t hold', async (answer, refusal) => {
    claim = answer;
    expect(await prove(sent())).toEqual(refused(refusal));
  });

  it('is looked at only for a token that is bound, on a route that takes such', async () => {
    const sentence = 'a proof is looked at only for a verified token that is bound to a key';
    await expect(provePossession(sent(), { claims: {} }, route, parts)).rejects.toThrow(sentence);
    const { dpop: _dpop, ...plain } = route;
    await expect(prove(sent(), plain as Route)).rejects.toThrow(sentence);
  });
});

describe('a nonce (RFC 9449 §9)', () => {
  it('is asked for, before the proof is counted as used', async () => {
    const nonce = parts.nonces.current(startMs);
    for (const claimed of [undefined, 'x', parts.nonces.current(startMs - 2 * slotMs)])
      expect(await prove(sent({ claims: { nonce: claimed } }), withNonce)).toEqual(
        refused({ kind: 'proof-nonce-needed', reason: 'proof_nonce', nonce }),
      );
    expect(uses).toEqual([]);
  });

  it('is given anew where the one that was used comes to its end', async () => {
    const nonce = parts.nonces.current(startMs);
    expect(await prove(sent({ claims: { nonce } }), withNonce)).toEqual({ ok: true, nextNonce: undefined });
    nowMs = startMs + slotMs;
    expect(await prove(sent({ claims: { nonce } }), withNonce)).toEqual({
      ok: true,
      nextNonce: parts.nonces.current(nowMs),
    });
  });

  it('is neither asked for nor given where the route wants none', async () => {
    const nonce = parts.nonces.current(startMs - slotMs);
    expect(await prove(sent({ claims: { nonce } }))).toEqual({ ok: true, nextNonce: undefined });
  });

  it('is taken from replicas with the same key, and with one of before a rotation', async () => {
    const { sessions } = configuration;
    const older = partsOf({ ...configuration, sessions: { ...sessions, key: 'an older one' } });
    const stranger = partsOf({ ...configuration, sessions: { ...sessions, key: 'a third' } });
    const judged = (nonce: string) => prove(sent({ claims: { nonce } }), withNonce);
    expect(await judged(partsOf().nonces.current(startMs))).toMatchObject({ ok: true });
    expect(await judged(older.nonces.current(startMs))).toMatchObject({ ok: true });
    expect(await judged(stranger.nonces.current(startMs))).toMatchObject({ ok: false });
  });
});
