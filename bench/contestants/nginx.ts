import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { reserveFreePort } from '../../test/support/loopback.ts';
import { smallCall } from '../exchange.ts';
import { startNative } from '../native-process.ts';
import type { Contestant, Ground } from './contestant.ts';

const stopLimitMillis = 5000;

/** nginx as a plain proxy in one process: no check of anything, kept connections, its access log. */
export async function startNginx(ground: Ground): Promise<Contestant> {
  const folder = join(ground.folder, 'nginx');
  mkdirSync(folder, { recursive: true });
  const files = { config: join(folder, 'nginx.conf'), log: join(folder, 'access.log') };
  const port = await reserveFreePort();
  writeFileSync(files.config, describeConfig(ground, folder, port));
  const started = await startNative({
    command: 'nginx',
    args: ['-p', folder, '-e', 'stderr', '-c', files.config],
    stdoutFile: join(folder, 'stdout.log'),
    port,
  });
  return {
    name: 'nginx',
    runtime: 'native',
    url: `http://localhost:${port}/mcp`,
    headers: {},
    exchange: smallCall,
    process: started,
    checkRound: async () => truncateSync(files.log),
    stop: () => started.stop(stopLimitMillis),
  };
}

/** No connection ends because it has carried so many requests, and no body goes to a disk. */
function describeConfig(ground: Ground, folder: string, port: number): string {
  const { host, pathname } = new URL(ground.upstreamUrl);
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${folder}/${name};\n`,
  );
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
${folders.join('')}  access_log ${folder}/access.log combined;
  keepalive_requests 1000000000;
  client_max_body_size 4m;
  client_body_buffer_size 4m;
  upstream servers {
    server ${host};
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    location ${pathname} {
      proxy_pass http://servers;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
`;
}
