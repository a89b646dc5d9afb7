import type { CallFrame } from './cpu-profile.ts';

/** V8's own frames that aren't work of the process. */
const idleFrames = new Set(['(idle)', '(root)']);

export function isIdle(frame: CallFrame): boolean {
  return idleFrames.has(frame.functionName);
}

/**
 * Names the module that a frame's code comes from: `npm undici`, `node http`, `src token`, `bench`, or undefined for
 * what has no file: native functions, garbage collection, the program outside JavaScript.
 */
export function moduleOf(frame: CallFrame): string | undefined {
  if (frame.url === '') return undefined;
  const path = frame.url.replace(/^file:\/\//, '');
  if (path.startsWith('wasm:')) return 'wasm (the HTTP parser of undici)';
  const internal = /^node:(?:internal\/)?([^/]+)/.exec(path)?.[1];
  if (internal !== undefined) return `node ${internal.replace(/^_/, '')}`;
  const dependency = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
  if (dependency !== undefined) return `npm ${dependency}`;
  const stage = /\/(?:dist|src)\/(.+)$/.exec(path)?.[1];
  if (stage !== undefined)
    return `src ${stage.includes('/') ? stage.replace(/\/.*/, '') : stage.replace(/\.[jt]s$/, '')}`;
  return path.includes('/bench/') ? 'bench' : path;
}

/** Where a function stands: the path below node_modules or the checkout, and the line from 1. */
export function placeOf(frame: CallFrame): string {
  const path = frame.url.replace(/^file:\/\//, '');
  const start = path.includes('/node_modules/') ? /.*\/node_modules\// : /.*\/(?=(?:dist|src|bench)\/)/;
  return path === '' ? '' : `${path.replace(start, '')}:${frame.lineNumber + 1}`;
}
