/** The parsers of both TypeScript SDKs: what their servers do with the bytes of a POST. */
import { parseJSONRPCMessage } from '@modelcontextprotocol/server';
import { JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';

import { assertionName } from '../../../src/identity/assertions.ts';
import type { BodyReader, Finding, Found } from './found.ts';

export const sdkReaders: readonly BodyReader[] = [
  sdkReader('TypeScript SDK v1', (message) => JSONRPCMessageSchema.parse(message)),
  sdkReader('TypeScript SDK v2', (message) => parseJSONRPCMessage(message)),
];

function sdkReader(name: string, parse: (message: unknown) => unknown): BodyReader {
  return {
    name,
    read: async (bodies) => bodies.map((bytes) => find(bytes, parse)),
    close: async () => {},
  };
}

function find(bytes: Buffer, parse: (message: unknown) => unknown): Finding {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
    return (Array.isArray(value) ? value : [value]).map((message: unknown) => foundIn(parse(message)));
  } catch {
    return null;
  }
}

function foundIn(message: unknown): Found {
  const { method, id, params } = message as Readonly<Record<string, unknown>>;
  const ref = memberOf(params, 'ref');
  return {
    method: textOf(method),
    name: textOf(memberOf(params, 'name')),
    uri: textOf(memberOf(params, 'uri')),
    refType: textOf(memberOf(ref, 'type')),
    refName: textOf(memberOf(ref, 'name')),
    refUri: textOf(memberOf(ref, 'uri')),
    assertion: textOf(memberOf(memberOf(params, '_meta'), assertionName)),
    id: id ?? null,
  };
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
