/** Runs the official suite as a process of its own and reads what it found. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'));
const addToken = fileURLToPath(new URL('./add-token.ts', import.meta.url));
const client = fileURLToPath(new URL('./client.ts', import.meta.url));

/** The suite gives one scenario 30 s; no leg has needed more than that in all. */
const limitMs = 150_000;

export interface Verdict {
  readonly passed: number;
  readonly failed: number;
  readonly exitCode: number;
  /** Every check that came out one way or the other, `scenario check: STATUS`, sorted. */
  readonly checks: readonly string[];
  /** What the suite printed. */
  readonly output: string;
}

/** The requests of the suite to this origin carry the token. */
export interface Credentials {
  readonly origin: string;
  readonly token: string;
}

/** Tests the server at `url`; `selection` says with which scenarios. */
export function testServer(
  url: string,
  selection: readonly string[],
  credentials?: Credentials,
): Promise<Verdict> {
  return runSuite(
    ['--import', addToken, program, 'server', '--url', url, ...selection],
    credentials && { CONFORMANCE_ORIGIN: credentials.origin, CONFORMANCE_TOKEN: credentials.token },
  );
}

/** Tests `client.ts` in one scenario. */
export function testClient(
  way: 'direct' | 'through',
  { scenario, revision }: { readonly scenario: string; readonly revision: string },
): Promise<Verdict> {
  // The suite splits this at blanks, joins it again and gives it to a shell.
  const command = `"${process.execPath}" "${client}" ${way}`;
  const selection = ['--scenario', scenario, '--spec-version', revision];
  return runSuite([program, 'client', '--command', command, ...selection]);
}

async function runSuite(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Verdict> {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'));
  try {
    const { exitCode, output } = await runNode([...args, '--output-dir', directory], environment);
    const [, passed, failed] =
      /^(?:Total: |Passed: )(\d+)(?: passed|\/\d+), (\d+) failed/m.exec(output) ?? [];
    if (exitCode === null || passed === undefined) throw new Error(`the suite gave no totals:\n${output}`);
    const checks = await readChecks(directory);
    return { passed: Number(passed), failed: Number(failed), exitCode, checks, output };
  } finally {
    await rm(directory, { recursive: true });
  }
}

interface Finished {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly output: string;
}

function runNode(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<Finished> {
  const child = spawn(process.execPath, args, {
    // The clients that the suite starts end with its group.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...environment },
  });
  const end = (): void => endGroup(child.pid);
  const timer = setTimeout(end, limitMs);
  process.once('exit', end);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      clearTimeout(timer);
      process.off('exit', end);
      resolve({ exitCode, output });
    });
  });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The suite writes a directory for each scenario, named for it and the time. */
async function readChecks(directory: string): Promise<readonly string[]> {
  const checks: string[] = [];
  for (const entry of await readdir(directory)) {
    const scenario = entry.replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '');
    const found = JSON.parse(await readFile(join(directory, entry, 'checks.json'), 'utf8')) as readonly {
      readonly name: string;
      readonly status: string;
    }[];
    for (const { name, status } of found) {
      // These only report what was sent and received.
      if (status !== 'INFO') checks.push(`${scenario} ${name}: ${status}`);
    }
  }
  return checks.sort();
}
