/** A real Prometheus on loopback that scrapes given targets, and its tool that checks and tests rules. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, reserveFreePort, within } from './loopback.ts';

/** Why there can't be one here; undefined where there can. */
export const prometheusMissing: string | undefined = ['prometheus', 'promtool'].every(
  (program) => spawnSync(program, ['--version']).status === 0,
)
  ? undefined
  : 'left out, there is no prometheus on PATH';

/** Ends the titles of tests that need Prometheus: says why they were left out. */
export const prometheusNote = prometheusMissing === undefined ? '' : ` (${prometheusMissing})`;

/** A series of an answer, and its value. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus extends AsyncDisposable {
  /** What an expression says now; throws where Prometheus can't read it. */
  query(expression: string): Promise<readonly Sample[]>;
  /** The answer's `data` of any other address of the API. */
  ask(path: string, parameters?: Readonly<Record<string, string>>): Promise<unknown>;
}

/** Scrapes `/metrics` of each target, `host:port`, every half second. */
export async function startPrometheus(targets: readonly string[]): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-prometheus-'));
  const port = await reserveFreePort();
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, scrapeConfiguration(targets));
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const origin = `http://127.0.0.1:${port}`;
  await eventually(
    'Prometheus is ready',
    async () => (await fetch(`${origin}/-/ready`).catch(() => undefined))?.ok === true,
    15_000,
  );
  const ask: Prometheus['ask'] = async (path, parameters = {}) => {
    const query = new URLSearchParams(parameters);
    const answer = (await (await fetch(`${origin}${path}?${query.toString()}`)).json()) as {
      readonly status: string;
      readonly data: unknown;
      readonly error?: string;
    };
    if (answer.status !== 'success') throw new Error(`${parameters['query'] ?? path}: ${answer.error}`);
    return answer.data;
  };
  return {
    ask,
    async query(expression) {
      const { result } = (await ask('/api/v1/query', { query: expression })) as {
        readonly result: readonly { readonly metric: Sample['metric']; readonly value: [number, string] }[];
      };
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async [Symbol.asyncDispose]() {
      const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      killNow();
      await within(exited, 5_000, 'prometheus ends');
      process.off('exit', killNow);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function scrapeConfiguration(targets: readonly string[]): string {
  return `
global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s }
scrape_configs:
  - job_name: portcullis
    static_configs: [{ targets: [${targets.map((target) => `'${target}'`).join(', ')}] }]
`;
}

/** Runs `promtool`; answers its exit code and all it wrote. */
export function promtool(...args: readonly string[]): {
  readonly status: number | null;
  readonly said: string;
} {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', timeout: 15_000 });
  return { status, said: `${stdout}${stderr}` };
}
