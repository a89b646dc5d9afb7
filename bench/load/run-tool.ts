import { execFile } from 'node:child_process';

/**
 * Runs a load generator to its end and answers its stdout; an exit code other than 0 is a fault. It is killed when the
 * bench exits.
 */
export function runTool(file: string, args: readonly string[], limitMillis: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: limitMillis, maxBuffer: 16 * 1024 * 1024 };
    const tool = execFile(file, args, options, (error, stdout, stderr) => {
      process.off('exit', kill);
      if (error === null) resolve(stdout);
      else reject(new Error(`${file} failed: ${stderr}${stdout}`, { cause: error }));
    });
    const kill = (): boolean => tool.kill('SIGKILL');
    process.once('exit', kill);
  });
}
