import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { reserveFreePort } from '../../test/support/loopback.ts';
import { smallCall } from '../exchange.ts';
import { startNative } from '../native-process.ts';
import { probe } from '../probe.ts';
import { checkedAudience } from './audience.ts';
import type { Contestant, Ground } from './contestant.ts';

const stopLimitMillis = 5000;

/** HAProxy with one thread and its request log: it verifies the token of each call and puts the subject in its place. */
export async function startHaproxy(ground: Ground): Promise<Contestant> {
  const folder = join(ground.folder, 'haproxy');
  mkdirSync(folder, { recursive: true });
  const files = {
    config: join(folder, 'haproxy.cfg'),
    key: join(folder, 'key.pem'),
    log: join(folder, 'access.log'),
  };
  const port = await reserveFreePort();
  writeFileSync(files.key, ground.issuer.publicKeyPem);
  writeFileSync(files.config, describeConfig({ ground, port, keyFile: files.key }));
  const started = await startNative({
    command: 'haproxy',
    args: ['-db', '-f', files.config],
    stdoutFile: files.log,
    port,
  });
  const contestant: Contestant = {
    name: 'haproxy-jwt',
    runtime: 'native',
    url: `http://localhost:${port}/mcp`,
    headers: { Authorization: `Bearer ${await ground.issuer.mintToken(checkedAudience)}` },
    exchange: smallCall,
    process: started,
    checkRound: async () => truncateSync(files.log),
    stop: () => started.stop(stopLimitMillis),
  };
  await expectChecked(contestant, ground);
  return contestant;
}

/** A proxy that checks nothing would be fast for the wrong reason. */
async function expectChecked(contestant: Contestant, { issuer }: Ground): Promise<void> {
  const good = contestant.headers['Authorization'] ?? '';
  const forged = `${good.slice(0, -8)}${good.endsWith('AAAAAAAA') ? 'BBBBBBBB' : 'AAAAAAAA'}`;
  const elsewhere = `Bearer ${await issuer.mintToken('https://other.example.com/mcp')}`;
  for (const credentials of [{}, { Authorization: forged }, { Authorization: elsewhere }]) {
    const { status } = await probe({ ...contestant, headers: credentials });
    if (status === 401) continue;
    await contestant.stop();
    throw new Error(`haproxy answered ${status} to a call that it had to refuse`);
  }
}

interface ConfigParts {
  readonly ground: Ground;
  readonly port: number;
  readonly keyFile: string;
}

/** The checks as HAProxy's own manual has them: algorithm, signature, issuer, audience, lifetime. */
function describeConfig({ ground, port, keyFile }: ConfigParts): string {
  const refuse = 'http-request deny deny_status 401 hdr WWW-Authenticate Bearer';
  return `global
  nbthread 1
  maxconn 4000
  log stdout format raw local0 info
defaults
  log global
  mode http
  option httplog
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend public
  bind 127.0.0.1:${port}
  ${refuse} unless { req.hdr(authorization) -m beg -i "Bearer " }
  http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')
  http-request set-var(txn.typ) http_auth_bearer,jwt_header_query('$.typ')
  http-request set-var(txn.iss) http_auth_bearer,jwt_payload_query('$.iss')
  http-request set-var(txn.aud) http_auth_bearer,jwt_payload_query('$.aud')
  http-request set-var(txn.sub) http_auth_bearer,jwt_payload_query('$.sub')
  http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  ${refuse} unless { var(txn.alg) -m str RS256 }
  ${refuse} unless { var(txn.typ) -m str at+jwt }
  ${refuse} unless { var(txn.iss) -m str ${ground.issuer.issuer} }
  ${refuse} unless { var(txn.aud) -m str ${checkedAudience} }
  ${refuse} unless { var(txn.sub) -m found }
  ${refuse} if { var(txn.exp),sub(txn.now) -m int le 0 }
  ${refuse} unless { http_auth_bearer,jwt_verify(txn.alg,"${keyFile}") -m int 1 }
  http-request del-header Authorization
  http-request set-header X-Auth-Request-User %[var(txn.sub)]
  default_backend servers
backend servers
  http-reuse always
  server upstream ${new URL(ground.upstreamUrl).host}
`;
}
