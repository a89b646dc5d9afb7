import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lastOf, readCopy, readStages } from './dockerfile.ts';
import type { Copy, Stage } from './dockerfile.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

/** The stages of the repository's Dockerfile. */
export const stages = readStages(readFileSync(join(repository, 'Dockerfile'), 'utf8'));

/** The folders that stand for the stages' WORKDIRs. */
interface Workshop {
  readonly folder: string;
  readonly stages: readonly Stage[];
}

/**
 * Follows the COPY and RUN instructions of the Dockerfile below `folder`, for machines without a container
 * engine, and answers the folder that stands for the final stage's WORKDIR. Only the full install of the build
 * stage is replaced, by the repository's own node_modules.
 */
export function assembleImage(folder: string): string {
  const workshop = { folder, stages };
  for (const stage of stages) {
    mkdirSync(folderOf(stage, workshop));
    for (const instruction of stage.instructions) {
      if (instruction.name === 'COPY') {
        copy(readCopy(instruction), folderOf(stage, workshop), workshop);
      } else if (instruction.name === 'RUN') {
        run(instruction.text, folderOf(stage, workshop));
      }
    }
  }
  return join(folder, 'final');
}

function folderOf(stage: Stage, { folder }: Workshop): string {
  return join(folder, stage.name ?? 'final');
}

function copy({ from, sources, destination }: Copy, target: string, workshop: Workshop): void {
  for (const source of sources) {
    const origin = from === undefined ? join(repository, source) : pathOf(source, from, workshop);
    const name = destination.endsWith('/') ? join(destination, basename(source)) : destination;
    cpSync(origin, join(target, name), { recursive: true });
  }
}

/** An absolute path of another stage, which has to lie below its WORKDIR, as a path of this machine. */
function pathOf(path: string, stageName: string, workshop: Workshop): string {
  const stage = workshop.stages.find(({ name }) => name === stageName);
  const root = stage === undefined ? undefined : lastOf(stage, 'WORKDIR');
  if (stage === undefined || root === undefined || !path.startsWith(`${root}/`)) {
    throw new Error(`COPY --from=${stageName} ${path}: not below the WORKDIR of a stage`);
  }
  return join(folderOf(stage, workshop), path.slice(root.length));
}

function run(command: string, folder: string): void {
  if (command === 'npm ci --ignore-scripts') {
    symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
    return;
  }
  const timeout = 120_000;
  const { status, stdout, stderr, error } = spawnSync('sh', ['-c', command], {
    cwd: folder,
    encoding: 'utf8',
    timeout,
  });
  if (status !== 0) {
    const need = command.startsWith('npm ci') ? ' (it needs the npm registry or a filled npm cache)' : '';
    throw new Error(`${command} failed${need}: ${error?.message ?? ''}\n${stdout}\n${stderr}`);
  }
}
