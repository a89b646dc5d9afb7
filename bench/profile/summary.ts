import { findParents, sumSelfMicros } from './cpu-profile.ts';
import type { CpuProfile, ProfileNode, ProfileWindow } from './cpu-profile.ts';
import { isIdle, moduleOf, placeOf } from './module-of.ts';

export interface FunctionTime {
  readonly name: string;
  readonly place: string;
  readonly selfMicros: number;
}

export interface ModuleTime {
  readonly module: string;
  /** In the module's own JavaScript. */
  readonly ownMicros: number;
  /** In Node's JavaScript that it called. */
  readonly nodeMicros: number;
  /** In native functions that it called, itself or through Node. */
  readonly nativeMicros: number;
}

export interface ProfileSummary {
  /** All but idle. */
  readonly busyMicros: number;
  readonly idleMicros: number;
  /** The most expensive first. */
  readonly functions: readonly FunctionTime[];
  /** Together they make up `busyMicros`; the most expensive first. */
  readonly modules: readonly ModuleTime[];
}

/**
 * Sums self time by function and by module. What Node's own code and native code take (a socket write, JSON.parse) is
 * charged to the nearest caller outside Node; where there is none, as when a socket reads, to Node's module itself.
 */
export function summarize(profile: CpuProfile, window: ProfileWindow): ProfileSummary {
  const parents = findParents(profile);
  const self = sumSelfMicros(profile, window);
  const functions = new Map<string, FunctionTime>();
  const modules = new Map<string, ModuleTime>();
  let idleMicros = 0;
  let busyMicros = 0;
  for (const node of profile.nodes) {
    const micros = self.get(node.id) ?? 0;
    if (isIdle(node.callFrame)) {
      idleMicros += micros;
    } else if (micros > 0) {
      busyMicros += micros;
      const callers = listCallers(node, parents);
      const { name, place } = nameFunction(node, callers);
      const key = `${name}\n${place}`;
      functions.set(key, { name, place, selfMicros: micros + (functions.get(key)?.selfMicros ?? 0) });
      const module = chargedModule(node, callers);
      modules.set(module, addMicros(modules.get(module) ?? nothing(module), node, micros));
    }
  }
  return {
    busyMicros,
    idleMicros,
    functions: [...functions.values()].toSorted((a, b) => b.selfMicros - a.selfMicros),
    modules: [...modules.values()].toSorted((a, b) => totalOf(b) - totalOf(a)),
  };
}

export function totalOf(time: ModuleTime): number {
  return time.ownMicros + time.nodeMicros + time.nativeMicros;
}

function nothing(module: string): ModuleTime {
  return { module, ownMicros: 0, nodeMicros: 0, nativeMicros: 0 };
}

function addMicros(time: ModuleTime, { callFrame }: ProfileNode, micros: number): ModuleTime {
  if (callFrame.url === '') return { ...time, nativeMicros: time.nativeMicros + micros };
  if (callFrame.url.startsWith('node:')) return { ...time, nodeMicros: time.nodeMicros + micros };
  return { ...time, ownMicros: time.ownMicros + micros };
}

/** The callers that stand in a file, the nearest first. */
export function listCallers(
  node: ProfileNode,
  parents: ReadonlyMap<number, ProfileNode>,
): readonly ProfileNode[] {
  // (garbage collector) and (program) hang below whatever ran last; that isn't their cause.
  if (node.callFrame.functionName.startsWith('(')) return [];
  const callers: ProfileNode[] = [];
  for (let caller = parents.get(node.id); caller !== undefined; caller = parents.get(caller.id)) {
    if (caller.callFrame.url !== '') callers.push(caller);
  }
  return callers;
}

function isOutsideNode({ callFrame }: ProfileNode): boolean {
  return callFrame.url !== '' && !callFrame.url.startsWith('node:');
}

/** Which module a sample is charged to: the nearest one outside Node, else Node's own, else V8. */
export function chargedModule(node: ProfileNode, callers: readonly ProfileNode[]): string {
  const chain = [node, ...callers];
  const charged = chain.find(isOutsideNode) ?? chain.find(({ callFrame }) => callFrame.url !== '');
  return (charged && moduleOf(charged.callFrame)) ?? 'V8';
}

/** A native function is told apart by its nearest caller, and by the nearest one outside Node. */
function nameFunction(
  node: ProfileNode,
  callers: readonly ProfileNode[],
): { readonly name: string; readonly place: string } {
  if (node.callFrame.url !== '') return { name: wordsFor(node), place: placeOf(node.callFrame) };
  const [nearest] = callers;
  const outside = callers.find(isOutsideNode);
  const chain = [...new Set([node, nearest, outside])].filter((frame) => frame !== undefined);
  const last = outside ?? nearest;
  return { name: chain.map(wordsFor).join(' ← '), place: last === undefined ? '' : placeOf(last.callFrame) };
}

function wordsFor({ callFrame }: ProfileNode): string {
  return callFrame.functionName === '' ? '(anonymous)' : callFrame.functionName;
}
