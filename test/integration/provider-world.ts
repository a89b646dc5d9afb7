/** A gateway from a guide's snippet, before an upstream that records, at an identity provider that isn't asked over the network. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { startGateway, type GatewayOptions, type RunningGateway } from '../support/gateway.ts';
import type { Reason } from '../support/invariants.ts';
import { eventually } from '../support/loopback.ts';
import { startRecordingUpstream, type RecordingUpstream } from '../support/recording-upstream.ts';
import { ask, only } from './world.ts';

export interface ProviderWorld extends AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly upstream: RecordingUpstream;
  /** Sends a call with this token; answers the identity headers that the upstream saw. */
  passes(token: string): Promise<Readonly<Record<string, string>>>;
  /** Sends a call with this token; answers the log's detail of the refusal. Nothing reaches the upstream. */
  refuses(token: string, reason: Reason): Promise<string>;
}

export function snippet(name: string): string {
  return readFileSync(new URL(`../../docs/snippets/${name}.yaml`, import.meta.url), 'utf8');
}

/** The snippet as it is, but for the address of the upstream. A `PublishedProvider` brings its own `fetch`. */
export async function startProviderWorld(
  yaml: string,
  { fetch, clock }: Pick<GatewayOptions, 'fetch' | 'clock'> = {},
): Promise<ProviderWorld> {
  const upstream = await startRecordingUpstream();
  const [before, after, ...more] = yaml.split('http://localhost:8000/mcp');
  expect([before, after, more.length]).toEqual([expect.any(String), expect.any(String), 0]);
  const gateway = await startGateway(`${before}${upstream.url}${after}`, {
    ...(fetch && { fetch }),
    ...(clock && { clock }),
  });
  const call = (token: string): ReturnType<typeof ask> =>
    ask(gateway.port, { token, headers: [['Host', 'mcp.example.com']] });
  return {
    gateway,
    upstream,
    async passes(token) {
      const earlier = upstream.requests.length;
      const answer = await call(token);
      if (answer.status !== 200) expect.fail(`${answer.status}: ${JSON.stringify(gateway.log.at(-1))}`);
      const request = await upstream.request(earlier + 1);
      expect(gateway.written).not.toContain(token.slice(-24));
      return Object.fromEntries(request.headerLines.filter(([name]) => name.startsWith('X-Auth-')));
    },
    async refuses(token, reason) {
      const [lines, earlier] = [gateway.log.length, upstream.requests.length];
      const answer = await call(token);
      expect(answer.status).toBe(reason === 'scope_insufficient' ? 403 : 401);
      // The client is told nothing of the reason.
      expect(only(answer, 'www-authenticate')).not.toContain(reason);
      await eventually('the line about the refusal', () => gateway.log.length > lines);
      const line = gateway.log.findLast((candidate) => candidate['reason'] !== undefined);
      expect(line).toMatchObject({ reason });
      expect(upstream.requests.length).toBe(earlier);
      expect(gateway.written).not.toContain(token.slice(-24));
      const detail = line?.['detail'];
      return typeof detail === 'string' ? detail : '';
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([gateway.close(), upstream.close()]);
    },
  };
}
