export interface Target {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A file: a megabyte is too long for a command line. Empty: no body. */
  readonly bodyFile: string;
  /** Of each answer. */
  readonly status: number;
}

export interface LoadFigures {
  /** Answers with the status that was wanted. */
  readonly answered: number;
  readonly seconds: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  /** What went wrong, in words; the figures count only when this is empty. */
  readonly faults: readonly string[];
}

/** A load generator in a process of its own: 50 connections, each asking again as soon as it is answered. */
export interface Load {
  readonly name: string;
  readonly put: (target: Target, seconds: number) => Promise<LoadFigures>;
}

export const connections = 50;
