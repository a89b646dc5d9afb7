/** Clients that are pages in a real browser, which enforces CORS itself. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAuthorizationServer, type AuthorizationServer } from '../support/authorization-server.ts';
import { startBridge, type Bridge } from '../support/bridge.ts';
import { browserMissing, browserNote, startBrowser } from '../support/browser.ts';
import { EventStream } from '../support/event-stream.ts';
import { startGateway, type RunningGateway } from '../support/gateway.ts';
import { eventually } from '../support/loopback.ts';
import { startModernServer, type ModernServer, type Report } from '../support/modern-server.ts';
import { startPageServer, type PageServer } from '../support/page-server.ts';
import { ProofKey } from '../support/proof-key.ts';
import { headerOf } from '../support/request-report.ts';
import { startWorld, toolCall, type World } from './world.ts';

interface Outcome {
  /** What the client asked for, and what came: `GET URL 200`. */
  readonly exchanges: readonly string[];
  readonly error?: string;
  readonly tools?: readonly string[];
  readonly content?: readonly { readonly text: string }[];
  readonly progressAt?: readonly number[];
  readonly doneAt?: number;
  /** Whether there was one. */
  readonly session?: boolean;
}

describe.skipIf(browserMissing !== undefined)(
  `A21 a page in Chromium${browserNote}`,
  { timeout: 120_000 },
  () => {
    let browser: Browser;
    let app: PageServer;

    beforeAll(async () => {
      [browser, app] = await Promise.all([startBrowser(), startPageServer()]);
    });

    afterAll(async () => {
      await Promise.all([browser?.close(), app?.close()]);
    });

    /** Opens a page with a profile of its own. A failure says what the page had met until then. */
    async function withPage<T>(use: (page: Page) => Promise<T>): Promise<T> {
      const context = await browser.newContext();
      context.setDefaultTimeout(40_000);
      const met: string[] = [];
      try {
        const page = await context.newPage();
        page.on('response', (response) => met.push(`${response.status()} ${response.url()}`));
        page.on('requestfailed', (request) => met.push(`${request.failure()?.errorText} ${request.url()}`));
        page.on('console', (message) => met.push(message.text()));
        return await use(page);
      } catch (cause) {
        throw new Error(`the page failed, having met\n${met.slice(-30).join('\n')}`, { cause });
      } finally {
        await context.close();
      }
    }

    describe('that is an MCP client', () => {
      let server: AuthorizationServer;
      let bridge: Bridge;
      let modern: ModernServer;
      let gateway: RunningGateway;

      beforeAll(async () => {
        [server, bridge, modern] = await Promise.all([
          startAuthorizationServer(),
          startBridge(),
          startModernServer(),
        ]);
        gateway = await startGateway(`
authorizationServers: [{ name: corp, issuer: '${server.issuer}' }]
routes:
  - { name: everything, path: /mcp, scopes: [mcp:use], origins: ['${app.origin}'], upstream: '${bridge.url}' }
  - { name: modern, path: /modern, scopes: [mcp:use], origins: ['${app.origin}'], upstream: '${modern.url}' }
`);
      });

      afterAll(async () => {
        await Promise.all([gateway, bridge, modern, server].map((part) => part?.close()));
      });

      interface Visit {
        readonly from: PageServer;
        readonly path: string;
        readonly era: 'legacy' | '2026-07-28';
        readonly call: { readonly name: string; readonly arguments: unknown };
      }

      /** Opens the page, logs in where it leads to a login, and reads what came of it. */
      async function visit(page: Page, { from, path, era, call }: Visit): Promise<Outcome> {
        const query = new URLSearchParams({
          server: `${gateway.url}${path}`,
          era,
          call: JSON.stringify(call),
        });
        await page.goto(`${from.origin}/?${query.toString()}`);
        const [name, outcome] = [page.getByLabel('Name'), page.locator('#outcome')];
        await name.or(outcome).waitFor();
        if (await name.isVisible()) {
          await name.fill('alice');
          await page.getByRole('button', { name: 'Sign in and allow' }).click();
        }
        return JSON.parse((await outcome.textContent()) ?? '') as Outcome;
      }

      const metadata = (path: string): string =>
        `GET ${gateway.url}/.well-known/oauth-protected-resource${path} 200`;

      it('goes from the refusal through the login to a tool call that streams, on another origin (A21)', async () => {
        const outcome = await withPage((page) =>
          visit(page, {
            from: app,
            path: '/mcp',
            era: 'legacy',
            call: { name: 'trigger-long-running-operation', arguments: { duration: 1.2, steps: 4 } },
          }),
        );
        expect(outcome.error).toBeUndefined();
        expect(outcome.exchanges.slice(0, 6)).toEqual([
          `POST ${gateway.url}/mcp 401`,
          metadata('/mcp'),
          `GET ${server.origin}/.well-known/oauth-authorization-server 200`,
          `POST ${server.origin}/reg 201`,
          `POST ${server.origin}/token 200`,
          `POST ${gateway.url}/mcp 200`,
        ]);
        expect(outcome.exchanges.slice(6).toSorted()).toEqual([
          `DELETE ${gateway.url}/mcp 200`,
          `GET ${gateway.url}/mcp 200`,
          `POST ${gateway.url}/mcp 200`,
          `POST ${gateway.url}/mcp 200`,
          `POST ${gateway.url}/mcp 202`,
        ]);
        expect(outcome.session).toBe(true);
        expect(outcome.tools).toContain('trigger-long-running-operation');
        expect(outcome.content?.[0]?.text).toContain('Long running operation completed');
        const { progressAt = [], doneAt = 0 } = outcome;
        // The last one races with the result, which comes on another stream.
        expect(progressAt.length).toBeGreaterThanOrEqual(3);
        expect(doneAt - (progressAt[0] ?? doneAt)).toBeGreaterThan(600);

        const preflights = gateway.audit.filter(({ httpMethod }) => httpMethod === 'OPTIONS');
        expect(preflights.length).toBeGreaterThan(0);
        const call = bridge.requests.findLast(({ method }) => method === 'POST');
        if (call === undefined) throw new Error('no call reached the bridge');
        expect(headerOf(call, 'x-auth-subject')).toEqual(['alice']);
        expect(headerOf(call, 'origin')).toEqual([]);
      });

      it('of 2026-07-28 may send the headers of that revision (A21)', async () => {
        const outcome = await withPage((page) =>
          visit(page, {
            from: app,
            path: '/modern',
            era: '2026-07-28',
            call: { name: 'report', arguments: { text: 'hello' } },
          }),
        );
        expect(outcome.error).toBeUndefined();
        expect(outcome.exchanges.slice(0, 2)).toEqual([
          `POST ${gateway.url}/modern 401`,
          metadata('/modern'),
        ]);
        expect(outcome.session).toBe(false);
        const report = JSON.parse(outcome.content?.[0]?.text ?? '') as Report;
        expect(report).toMatchObject({
          era: 'modern',
          text: 'hello',
          headers: {
            'mcp-protocol-version': '2026-07-28',
            'mcp-method': 'tools/call',
            'mcp-name': 'report',
            'x-auth-subject': 'alice',
          },
        });
        expect(report.headers).not.toHaveProperty('origin');
      });

      it('on an origin that is not listed is refused before any login and reads nothing (A21, W07)', async () => {
        await using stranger = await startPageServer();
        const [reached, audited] = [bridge.requests.length, gateway.audit.length];
        const outcome = await withPage((page) =>
          visit(page, {
            from: stranger,
            path: '/mcp',
            era: 'legacy',
            call: { name: 'echo', arguments: { message: 'stolen' } },
          }),
        );
        expect(outcome.error).toContain('Failed to fetch');
        expect(outcome.exchanges).toEqual([]);
        const events = gateway.audit.slice(audited);
        expect(events.length).toBeGreaterThan(0);
        for (const event of events) expect(event).toMatchObject({ reason: 'origin_not_listed', status: 403 });
        expect(bridge.requests).toHaveLength(reached);
      });
    });

    describe('that asks for everything', () => {
      const key = new ProofKey();
      let world: World;

      beforeAll(async () => {
        world = await startWorld({
          yaml: ({ issuer, upstream, publicUrl }) => `
publicUrl: ${publicUrl}
authorizationServers:
  - { name: corp, issuer: '${issuer.url}' }
  - { name: away, issuer: 'http://localhost:9', discovery: off, jwksUri: 'http://localhost:9/jwks' }
routes:
  - { name: tools, path: /mcp, default: true, authorizationServers: [corp], scopes: [mcp:use],
      origins: ['${app.origin}'], limits: { body: 2KiB }, upstream: '${upstream.url}' }
  - { name: away, path: /away, authorizationServers: [away], origins: ['${app.origin}'], upstream: '${upstream.url}' }
  - { name: dead, path: /dead, authorizationServers: [corp], audiences: ['${publicUrl}/mcp'], origins: ['${app.origin}'],
      upstream: 'http://localhost:9/mcp' }
  - { name: bound, path: /bound, authorizationServers: [corp], audiences: ['${publicUrl}/mcp'], origins: ['${app.origin}'],
      dpop: { mode: required, nonce: true }, upstream: '${upstream.url}' }
`,
        });
      });

      afterAll(() => world?.[Symbol.asyncDispose]());

      interface Asked {
        readonly target: string;
        readonly method?: string;
        readonly headers?: Readonly<Record<string, string>>;
        readonly body?: string;
      }

      interface Read {
        readonly status: number | 'unreadable';
        /** The headers that the page may read, besides the few that it always may. */
        readonly headers: Readonly<Record<string, string>>;
        readonly body: string;
      }

      /** What a page on that origin can read of one answer after the other. */
      async function onPageOf(
        from: PageServer,
        use: (ask: (asked: Asked) => Promise<Read>) => Promise<void>,
      ): Promise<void> {
        await withPage(async (page) => {
          await page.goto(`${from.origin}/blank`);
          await use(({ target, method = 'POST', headers = {}, body }) =>
            page.evaluate(read, { url: `${world.gateway.url}${target}`, method, headers, body }),
          );
        });
      }

      /** Runs in the page. */
      async function read(asked: {
        readonly url: string;
        readonly method: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: string | undefined;
      }): Promise<Read> {
        const always = new Set(['cache-control', 'content-length', 'content-type']);
        const { url, method, headers, body = null } = asked;
        try {
          const response = await fetch(url, { method, headers, body, signal: AbortSignal.timeout(10_000) });
          const readable = [...response.headers].filter(([name]) => !always.has(name));
          return {
            status: response.status,
            headers: Object.fromEntries(readable),
            body: await response.text(),
          };
        } catch (error) {
          if (!(error instanceof TypeError)) throw error;
          return { status: 'unreadable', headers: {}, body: '' };
        }
      }

      const json = { 'content-type': 'application/json' };
      const initialize = '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}';
      const withToken = (token: string): Readonly<Record<string, string>> => ({
        ...json,
        authorization: `Bearer ${token}`,
        'mcp-protocol-version': '2025-11-25',
      });
      const call = (headers: Readonly<Record<string, string>>, target = '/mcp'): Asked => ({
        target,
        headers,
        body: toolCall(),
      });

      it('reads every answer of the gateway, and what clients need of its headers (A21)', async () => {
        const { issuer } = world;
        const good = withToken(issuer.token());
        const bound = issuer.token({ claims: { cnf: { jkt: key.jkt } } });
        const proof = key.proof({ url: `${world.gateway.url}/bound`, token: bound });
        const challenge = ['www-authenticate'];
        const answers: readonly (readonly [string, Asked, number, readonly string[]])[] = [
          ['no token', call(json), 401, challenge],
          ['a GET without a token', { target: '/mcp', method: 'GET' }, 401, challenge],
          ['a bad token', call(withToken('bad')), 401, challenge],
          [
            'a nonce',
            call({ ...json, authorization: `DPoP ${bound}`, dpop: proof }, '/bound'),
            401,
            ['dpop-nonce', 'www-authenticate'],
          ],
          ['too few scopes', call(withToken(issuer.token({ claims: { scope: 'other' } }))), 403, challenge],
          ['no session of theirs', call({ ...good, 'mcp-session-id': 'forged' }), 404, []],
          ['what is no message', { ...call(good), body: '{' }, 400, []],
          ['a long body', { ...call(good), body: toolCall(1, 'x'.repeat(4_000)) }, 413, []],
          ['another type', call({ ...good, 'content-type': 'text/plain' }), 415, []],
          ['a method that is not served', { target: '/mcp', method: 'HEAD', headers: good }, 405, []],
          ['a dead upstream', call(good, '/dead'), 502, []],
          [
            'keys that cannot be had',
            call(withToken(issuer.token({ claims: { iss: 'http://localhost:9' } })), '/away'),
            503,
            ['retry-after'],
          ],
        ];
        await onPageOf(app, async (ask) => {
          for (const [name, asked, status, headers] of answers) {
            const answer = await ask(asked);
            expect([name, answer.status, Object.keys(answer.headers)]).toEqual([name, status, headers]);
            if (asked.method !== 'HEAD') expect(answer.body).toContain('"jsonrpc":"2.0"');
          }
        });
        expect(world.passed).toBe('');
      });

      it('reads what the upstream answers, once and in streams, and its session (A21)', async () => {
        const { issuer, upstream } = world;
        const session = { 'mcp-session-id': 's1', 'mcp-protocol-version': '2025-11-25' };
        const exposed = ['mcp-protocol-version', 'mcp-session-id'];
        await onPageOf(app, async (ask) => {
          const good = withToken(issuer.token());
          upstream.answerOnce({ headers: session, body: {} });
          const begun = await ask({ ...call(good), body: initialize });
          expect([begun.status, Object.keys(begun.headers)]).toEqual([200, exposed]);
          const inSession = { ...good, 'mcp-session-id': begun.headers['mcp-session-id'] ?? '' };
          for (const status of [200, 400, 429, 500]) {
            upstream.answerOnce({
              status,
              headers: { ...session, 'x-internal': '1' },
              body: { said: status },
            });
            const answer = await ask(call(inSession));
            expect([answer.status, Object.keys(answer.headers)]).toEqual([status, exposed]);
            expect(answer.body).toBe(JSON.stringify({ said: status }));
          }
          const stream = new EventStream(session);
          upstream.answerOnce(stream);
          const reading = ask(call(inSession));
          await stream.opened();
          await stream.send({ jsonrpc: '2.0', id: 1, result: {} });
          await stream.end();
          const streamed = await reading;
          expect([streamed.status, Object.keys(streamed.headers)]).toEqual([200, exposed]);
          expect(streamed.body).toContain('"result":{}');
        });
      });

      it('reads the metadata and, where there is none, that there is none, from any origin (A16, A21)', async () => {
        await using stranger = await startPageServer();
        const well = '/.well-known';
        const headers = { 'mcp-protocol-version': '2025-11-25' };
        for (const from of [app, stranger]) {
          await onPageOf(from, async (ask) => {
            for (const [target, status] of [
              [`${well}/oauth-protected-resource/mcp`, 200],
              [`${well}/oauth-protected-resource`, 200],
              [`${well}/oauth-protected-resource/other`, 404],
              [`${well}/oauth-authorization-server/mcp`, 404],
              [`${well}/openid-configuration`, 404],
            ] as const) {
              const answer = await ask({ target, method: 'GET', headers });
              expect([target, answer.status]).toEqual([target, status]);
              expect(JSON.parse(answer.body)).toBeTypeOf('object');
            }
          });
        }
      });

      it('reads nothing on an origin that is not listed, with a good token and without a preflight too (A21, B-046, B-047)', async () => {
        await using stranger = await startPageServer();
        const { upstream, issuer, gateway } = world;
        const [reached, audited] = [upstream.requests.length, gateway.audit.length];
        const asked: readonly Asked[] = [
          call(withToken(issuer.token())),
          // Browsers send these without asking first.
          { target: '/mcp', method: 'GET' },
          { target: '/mcp', headers: { 'content-type': 'text/plain' }, body: toolCall() },
        ];
        await onPageOf(stranger, async (ask) => {
          for (const each of asked) expect((await ask(each)).status).toBe('unreadable');
        });
        await eventually('each is audited', () => gateway.audit.length - audited >= asked.length);
        for (const event of gateway.audit.slice(audited))
          expect(event).toMatchObject({ reason: 'origin_not_listed', status: 403 });
        expect(upstream.requests).toHaveLength(reached);
      });
    });
  },
);
