/** What a command may touch; tests hand in their own. */
export interface CommandIo {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Throws like `readFileSync`. */
  readonly readFile: (path: string) => string;
  /** To its end. */
  readonly readStandardInput: () => Promise<string>;
}

/** sysexits.h, as far as it fits. */
export const exitCode = { ok: 0, defect: 1, denied: 3, usage: 64, configuration: 78 } as const;
