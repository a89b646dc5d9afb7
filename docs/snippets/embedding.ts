import fastify from 'fastify';
import { createGateway } from '../../src/index.ts';

const {
  PORT = '8080',
  ISSUER = 'https://login.example.com',
  UPSTREAM = 'http://localhost:8000/mcp',
} = process.env;

/** Stands for a vault of the program's. */
async function keyFor(subject: string | undefined): Promise<string | undefined> {
  return subject === undefined ? undefined : `key-of-${subject}`;
}

export const app = fastify();
const intoOwnLog = { write: (line: string) => app.log.info(line) };

const gateway = createGateway(
  {
    publicUrl: `http://localhost:${PORT}`,
    authorizationServers: [{ issuer: ISSUER }],
    routes: [{ path: '/mcp', upstream: { url: UPSTREAM, credentials: { provider: 'vault' } } }],
  },
  {
    logSink: intoOwnLog,
    auditSink: intoOwnLog,
    credentials: {
      vault: {
        async credentialsFor({ principal }) {
          const key = await keyFor(principal?.subject);
          return key === undefined
            ? {
                ok: false,
                refusal: { kind: 'upstream-credentials-missing', reason: 'upstream_credentials_missing' },
              }
            : { ok: true, headers: ['X-Api-Key', key] };
        },
      },
    },
  },
);

app.get('/', () => 'a page of the program');
await app.register(gateway.plugin);
await app.listen({ port: Number(PORT) });
