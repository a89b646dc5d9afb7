/** The three answers of the catalogue's shorthand, to the byte. */
import { expect } from 'vitest';
import type { RawResponse } from '../support/raw-response.ts';
import type { Scene } from './scene.ts';

export interface Challenged {
  readonly path?: string;
  /** Of the challenge; default that of the scene's protected route. */
  readonly scope?: string;
}

/** R401: the token is invalid, and nothing says why. */
export function expectInvalidToken(answer: RawResponse, scene: Scene, challenged: Challenged = {}): void {
  const text = 'The access token is invalid';
  expectChallenge(
    answer,
    401,
    challenge(scene, challenged, `error="invalid_token", error_description="${text}"`),
  );
  expectError(answer, { code: 40100, message: text });
}

/** R401 of a token whose time is over: the one thing that a client may learn besides. */
export function expectExpiredToken(answer: RawResponse, scene: Scene, challenged: Challenged = {}): void {
  const text = 'The access token expired';
  expectChallenge(
    answer,
    401,
    challenge(scene, challenged, `error="invalid_token", error_description="${text}"`),
  );
  expectError(answer, { code: 40100, message: text });
}

/** R401n: no credentials, so no error (RFC 6750 §3.1). */
export function expectNoCredentials(answer: RawResponse, scene: Scene, challenged: Challenged = {}): void {
  expectChallenge(answer, 401, challenge(scene, challenged));
  if (answer.body.length > 0) expectError(answer, { code: 40100, message: 'Authentication is required' });
}

/** R400a: more than one `Authorization`. */
export function expectAmbiguousCredentials(answer: RawResponse, scene: Scene): void {
  expectChallenge(answer, 400, challenge(scene, {}, 'error="invalid_request"'));
  expectError(answer, { code: -32600, message: 'More than one Authorization header' });
}

/** R403s: every scope that is required, and where to get them. */
export function expectInsufficientScope(
  answer: RawResponse,
  scene: Scene,
  challenged: Challenged = {},
): void {
  expectChallenge(answer, 403, challenge(scene, challenged, 'error="insufficient_scope"'));
  expectError(answer, { code: 40301, message: 'More scopes are required' });
}

/** A JSON-RPC error of the gateway's own and nothing besides: no reason, no stack, no library's text. */
export function expectError(
  answer: RawResponse,
  error: { readonly code: number; readonly message: string },
  id: unknown = null,
): void {
  expect(answer.header('content-type')).toEqual(['application/json; charset=utf-8']);
  expect(JSON.parse(answer.body.toString())).toEqual({ jsonrpc: '2.0', id, error });
}

function expectChallenge(answer: RawResponse, status: number, value: string): void {
  expect(answer.status).toBe(status);
  expect(answer.header('www-authenticate')).toEqual([value]);
  expect(answer.header('cache-control')).toEqual(['no-store']);
}

function challenge(scene: Scene, { path = '/mcp', scope = 'mcp:use' }: Challenged, error?: string): string {
  const metadata = `${scene.gateway.url}/.well-known/oauth-protected-resource${path}`;
  const parameters = [
    ...(error === undefined ? [] : [error]),
    ...(scope === '' ? [] : [`scope="${scope}"`]),
    `resource_metadata="${metadata}"`,
  ];
  return `Bearer ${parameters.join(', ')}`;
}
