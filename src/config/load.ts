import type { Configuration } from './configuration.ts';
import { draftOf } from './draft.ts';
import type { Listening } from './environment.ts';
import { readListening } from './environment.ts';
import type { Layered } from './environment-layer.ts';
import { layEnvironment } from './environment-layer.ts';
import type { ConfigFault } from './faults.ts';
import { sortFaults } from './faults.ts';
import type { Finding } from './finding.ts';
import { placeFinding } from './finding.ts';
import { findingsOf } from './issues.ts';
import type { Path } from './path.ts';
import { isWithin } from './path.ts';
import { checkReferences } from './references.ts';
import { resolve } from './resolve.ts';
import { unknownProviders } from './rules/credentials.ts';
import { rules } from './rules/rules.ts';
import { configurationSchema } from './schema.ts';
import type { Sources } from './sources.ts';
import { NamedFiles } from './sources.ts';
import { walk } from './structure.ts';
import type { YamlReading } from './yaml/read-yaml.ts';
import { readYaml } from './yaml/read-yaml.ts';

export type Loaded =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

/**
 * The configuration in `text`, or every fault in it at once. Reads the files and variables that the text names;
 * HOST, PORT, OPS_HOST and OPS_PORT of the environment win over `listen` and `ops`; the variables of one route fill
 * what the file leaves open. Never throws on bad input.
 */
export function loadConfiguration(text: string, from: Sources): Loaded {
  return load(readYaml(text), from, 'file');
}

/**
 * The configuration of one route in the environment alone, or every fault in it at once. Files that it names are looked
 * for beside `from.file`.
 */
export function loadEnvironment(from: Sources): Loaded {
  const start = (): { line: number; column: number } => ({ line: 1, column: 1 });
  const positions = { ofKey: start, ofValue: start };
  return load({ value: {}, positions, faults: [], unread: [] }, from, 'no file');
}

/** The same of a value that has the file's form, such as an object of an embedding program. Faults have no line. */
export function loadValue(value: unknown, from: Sources): Loaded {
  const nowhere = (): { line: number; column: number } => ({ line: 0, column: 0 });
  const positions = { ofKey: nowhere, ofValue: nowhere };
  return load({ value, positions, faults: [], unread: [] }, from, 'file');
}

function load(reading: YamlReading, from: Sources, file: 'file' | 'no file'): Loaded {
  const files = new NamedFiles(from);
  const listening = readListening(from.environment);
  const layered = layEnvironment(reading.value, from.environment, file);
  const parsed = configurationSchema.safeParse(layered.value);
  const findings: Finding[] = [...listening.findings, ...layered.findings];
  const unread = [...reading.unread, ...layered.unread];
  if (reading.unread.every((path) => path.length > 0)) {
    const issues = (parsed.error?.issues ?? []).flatMap((issue) =>
      findingsOf(issue, { schema: configurationSchema, value: layered.value }),
    );
    const faulty = [...unread, ...issues.map(({ path }) => path)];
    findings.push(
      ...issues,
      ...judge(layered.value, faulty, {
        environment: from.environment,
        files,
        listening,
        providers: from.providers ?? [],
      }),
    );
  }
  const told = withoutConsequences(findings, unread).map((finding) =>
    placeFinding(withVariable(finding, layered), reading.positions),
  );
  const faults = sortFaults([...reading.faults, ...told]);
  if (faults.length > 0 || parsed.data === undefined) return { ok: false, faults };
  return { ok: true, configuration: resolve(parsed.data, files, listening) };
}

function withVariable(finding: Finding, { variableOf }: Layered): Finding {
  const variable = finding.variable ?? variableOf(finding.path);
  return variable === undefined ? finding : { ...finding, variable };
}

interface World {
  readonly environment: Sources['environment'];
  readonly files: NamedFiles;
  readonly listening: Listening;
  readonly providers: readonly string[];
}

/** What the schema can't say of the values that it has no fault with. */
function judge(
  value: unknown,
  faulty: readonly Path[],
  { environment, files, listening, providers }: World,
): readonly Finding[] {
  const occupied = [...walk(configurationSchema, value)];
  const draft = draftOf(value, faulty);
  return [
    ...checkReferences(occupied, faulty, { environment, files }),
    ...rules.flatMap((rule) => rule(draft, listening)),
    ...unknownProviders(draft, providers),
  ];
}

/** Leaves out what only follows from another fault: a value that wasn't read, a missing key that is there misspelt. */
function withoutConsequences(findings: readonly Finding[], unread: readonly Path[]): readonly Finding[] {
  const meant = findings.flatMap(({ path, meantKey }) =>
    meantKey === undefined ? [] : [[...path.slice(0, -1), meantKey]],
  );
  return findings.filter(({ path, found }) => {
    if (unread.some((ancestor) => isWithin(path, ancestor))) return false;
    return found !== 'nothing' || !meant.some((key) => key.length === path.length && isWithin(path, key));
  });
}
