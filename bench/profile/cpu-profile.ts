/** A .cpuprofile, as V8 writes it (Chrome DevTools Protocol, Profiler.Profile). Times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}

export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}

/** The part of the profile that counts; times as in the profile. */
export interface ProfileWindow {
  readonly from: number;
  readonly to: number;
}

/** Self time of each node in microseconds: of the samples that fall into the window. */
export function sumSelfMicros(profile: CpuProfile, window: ProfileWindow): ReadonlyMap<number, number> {
  const micros = new Map<number, number>();
  let now = profile.startTime;
  profile.samples.forEach((id, index) => {
    const delta = profile.timeDeltas[index] ?? 0;
    now += delta;
    // A late sample can carry a negative delta; it counts as none.
    if (now >= window.from && now <= window.to) micros.set(id, (micros.get(id) ?? 0) + Math.max(delta, 0));
  });
  return micros;
}

/** Which node called which: child id to parent. */
export function findParents(profile: CpuProfile): ReadonlyMap<number, ProfileNode> {
  return new Map(
    profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
  );
}
