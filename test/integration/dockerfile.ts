/** One instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  /** Upper case. */
  readonly name: string;
  /** `--from=build` as `from: 'build'`. */
  readonly flags: ReadonlyMap<string, string>;
  /** What follows the name and the flags. */
  readonly text: string;
}

export interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

export interface Copy {
  /** The stage copied from; absent: the build context. */
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly destination: string;
}

/** Reads the part of the Dockerfile grammar that this repository's file uses: no here-documents, no escapes. */
export function readStages(text: string): readonly Stage[] {
  const stages: { base: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const instruction of readInstructions(text)) {
    if (instruction.name === 'FROM') {
      const [base = '', , name] = instruction.text.split(/\s+/);
      stages.push({ base, name, instructions: [] });
    } else {
      stages.at(-1)?.instructions.push(instruction);
    }
  }
  return stages;
}

function readInstructions(text: string): readonly Instruction[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line));
  const joined = lines.join('\n').replaceAll(/\\\s*\n\s*/g, ' ');
  return joined.split('\n').map(readInstruction);
}

function readInstruction(line: string): Instruction {
  const [, name = '', rest = ''] = /^\s*(\S+)\s+(.*)$/.exec(line) ?? [];
  const flags = new Map<string, string>();
  const text = rest.replace(/^(--[a-z-]+=\S+\s+)+/, (found) => {
    for (const flag of found.trim().split(/\s+/)) {
      const equals = flag.indexOf('=');
      flags.set(flag.slice('--'.length, equals), flag.slice(equals + 1));
    }
    return '';
  });
  return { name: name.toUpperCase(), flags, text };
}

/** The instructions of one name, in order. */
export function named(stage: Stage, name: string): readonly Instruction[] {
  return stage.instructions.filter((instruction) => instruction.name === name);
}

/** The value that holds at the end of a stage: the last instruction of a name wins. */
export function lastOf(stage: Stage, name: string): string | undefined {
  return named(stage, name).at(-1)?.text;
}

export function readCopy(instruction: Instruction): Copy {
  const words = instruction.text.split(/\s+/);
  return {
    from: instruction.flags.get('from'),
    sources: words.slice(0, -1),
    destination: words.at(-1) ?? '',
  };
}

/** The words of an exec form (`["node", "dist/main.js"]`), or undefined for a shell form. */
export function readExecForm(text: string): readonly string[] | undefined {
  try {
    const words: unknown = JSON.parse(text);
    const isExec = Array.isArray(words) && words.every((word) => typeof word === 'string');
    return isExec ? words : undefined;
  } catch {
    return undefined;
  }
}

/** `NAME=value` and `NAME="quoted value"` pairs of LABEL, ENV and ARG; a name without a value has an empty one. */
export function readPairs(instructions: readonly Instruction[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const { text } of instructions) {
    for (const [, name = '', quoted, bare] of text.matchAll(/([^\s=]+)(?:=(?:"([^"]*)"|(\S*)))?/g)) {
      pairs.set(name, quoted ?? bare ?? '');
    }
  }
  return pairs;
}
