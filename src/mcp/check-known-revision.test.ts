import { describe, expect, it } from 'vitest';

import { checkKnownRevision } from './check-known-revision.ts';

const meta = (revision: unknown): object => ({
  params: { _meta: { 'io.modelcontextprotocol/protocolVersion': revision } },
});

describe('a revision of MCP on a route with rules (C-023)', () => {
  it.each([undefined, '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'])(
    'is known as %s',
    (version) => {
      expect(checkKnownRevision({ 'mcp-protocol-version': version }, meta(version))).toBeUndefined();
    },
  );

  it.each([
    ['2027-01-01', '2027-01-01'],
    ['latest', 'latest'],
    ['', ''],
    ['2026-07-28, 2025-11-25', ''],
    ['x'.repeat(33), ''],
    ['"<é>"', ''],
  ])(
    'is unknown as %j, in header and body, and is repeated only where it is a word',
    (version, requested) => {
      const refusal = { kind: 'revision-unknown', reason: 'revision_unknown', requested };
      expect(checkKnownRevision({ 'mcp-protocol-version': version }, undefined)).toEqual(refusal);
      expect(checkKnownRevision({}, meta(version))).toEqual(refusal);
      expect(checkKnownRevision({}, [meta('2026-07-28'), meta(version)])).toEqual(refusal);
    },
  );
});
