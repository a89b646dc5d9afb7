import { describe, expect, it } from 'vitest';

import type { AuthorizationServer } from '../config/configuration.ts';
import type { MirrorSource } from './metadata-mirror.ts';
import { mirroredMetadata } from './metadata-mirror.ts';

describe('the mirror of a silent authorization server (W12, D-010)', () => {
  it('keeps a thousand waiting, and tells the next to come again', async () => {
    const asked = Promise.withResolvers<Awaited<ReturnType<MirrorSource['get']>>>();
    const mirror = mirroredMetadata({ name: 'corp' } as AuthorizationServer, { get: () => asked.promise });
    const waiting = Array.from({ length: 1000 }, () => mirror());
    expect(await mirror()).toMatchObject({
      kind: 'authorization-server-unavailable',
      reason: 'metadata_unavailable',
    });
    asked.resolve({ ok: true, metadata: { text: '{}' } });
    for (const document of await Promise.all(waiting)) expect(document).toMatchObject({ text: '{}' });
    expect(await mirror()).toMatchObject({ text: '{}' });
  });
});
