/** What a cluster would say of a manifest's form: Kubernetes' own OpenAPI documents, and the CRDs of others. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import { parse } from 'yaml';
import type { Manifest } from './helm.ts';

/** The oldest that the chart is for, and the newest that the module has. */
export const kubernetesVersions = ['1.25', '1.30'] as const;
export type KubernetesVersion = (typeof kubernetesVersions)[number];

/** Go modules that carry them as files; nothing of them is compiled. */
const modules = readFileSync(new URL('schema-modules.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const cache = spawnSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).stdout?.trim() ?? '';
const missing = modules.filter((module) => cache === '' || !existsSync(join(cache, module)));

/** Why the schemas aren't here; undefined where they are. */
export const schemasMissing: string | undefined =
  missing.length === 0
    ? undefined
    : `left out: go mod download ${missing.join(' ')} would bring Kubernetes' schemas`;

type JsonSchema = Readonly<Record<string, unknown>>;
type Definitions = Readonly<Record<string, JsonSchema>>;

const [kubernetes, gateways, operator] = modules.map((module) => join(cache, module));
const definitionFolders = [
  `${gateways}/config/crd/standard`,
  `${operator}/example/prometheus-operator-crd`,
] as const;

/** Holds manifests to the schemas of one version; unknown keys are faults, as they are for `kubectl apply`. */
export class KubernetesSchemas {
  readonly #version: KubernetesVersion;
  readonly #ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, validateSchema: false });
  readonly #documents = new Map<string, Definitions>();
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(version: KubernetesVersion) {
    this.#version = version;
  }

  /** The faults of a manifest, each with its place. */
  faultsOf(manifest: Manifest): readonly string[] {
    return [
      ...this.#faults(this.#validatorOf(manifest), manifest),
      ...this.#faults(this.#metadata(), manifest.metadata),
    ].map((fault) => `${manifest.kind} ${manifest.metadata.name} ${fault}`);
  }

  #faults(validate: ValidateFunction, value: unknown): readonly string[] {
    validate(value);
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath}: ${message} ${JSON.stringify(params)}`,
    );
  }

  /** What `metadata` may hold; the CRDs leave that open. */
  #metadata(): ValidateFunction {
    return this.#definition('v1', 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  }

  #validatorOf({ apiVersion, kind }: Manifest): ValidateFunction {
    const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
    const document = this.#documentFile(apiVersion);
    if (!existsSync(document)) return this.#custom({ group, version, kind });
    const schemas = this.#schemasIn(document);
    const name = Object.keys(schemas).find((key) =>
      ((schemas[key]?.['x-kubernetes-group-version-kind'] ?? []) as readonly JsonSchema[]).some(
        (known) => known['group'] === group && known['version'] === version && known['kind'] === kind,
      ),
    );
    if (name === undefined) throw new Error(`${this.#version} has no ${apiVersion} ${kind}`);
    return this.#definition(apiVersion, name);
  }

  #documentFile(apiVersion: string): string {
    const folder = apiVersion.includes('/') ? 'apis' : 'api';
    return `${kubernetes}/pkg/openapiclient/builtins/${this.#version}/${folder}/${apiVersion}.json`;
  }

  #schemasIn(document: string): Definitions {
    const read = (): Definitions => {
      const { components } = JSON.parse(readFileSync(document, 'utf8')) as {
        readonly components: { readonly schemas: Definitions };
      };
      return components.schemas;
    };
    const schemas = this.#documents.get(document) ?? read();
    this.#documents.set(document, schemas);
    return schemas;
  }

  #definition(apiVersion: string, name: string): ValidateFunction {
    const file = this.#documentFile(apiVersion);
    if (this.#ajv.getSchema(apiVersion) === undefined)
      this.#ajv.addSchema({ components: { schemas: closed(this.#schemasIn(file)) } }, apiVersion);
    return this.#once(`${apiVersion}#/components/schemas/${name}`, ($ref) => ({ $ref }));
  }

  #custom({ group, version, kind }: { group: string; version: string; kind: string }): ValidateFunction {
    return this.#once(`${group}/${version}/${kind}`, () => {
      const file = definitionFolders
        .map((folder) => `${folder}/${group}_${kind.toLowerCase()}s.yaml`)
        .find((path) => existsSync(path));
      if (file === undefined) throw new Error(`no definition of ${kind} in ${group}`);
      const { spec } = parse(readFileSync(file, 'utf8')) as CustomDefinition;
      const found = spec.versions.find(({ name }) => name === version);
      if (found === undefined) throw new Error(`no definition of ${group}/${version} ${kind}`);
      return closed(found.schema.openAPIV3Schema) as JsonSchema;
    });
  }

  #once(key: string, schema: (key: string) => JsonSchema): ValidateFunction {
    const compiled = this.#compiled.get(key) ?? this.#ajv.compile(schema(key));
    this.#compiled.set(key, compiled);
    return compiled;
  }
}

interface CustomDefinition {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string;
      readonly schema: { readonly openAPIV3Schema: JsonSchema };
    }[];
  };
}

/** The same schema, in which an object has no other keys than those that are named. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) =>
    key === 'pattern' && typeof value === 'string' ? [key, asOurs(value)] : [key, closed(value)],
  );
  const isOpen =
    typeof (node as JsonSchema)['properties'] !== 'object' ||
    'additionalProperties' in node ||
    'x-kubernetes-preserve-unknown-fields' in node;
  return Object.fromEntries(isOpen ? entries : [...entries, ['additionalProperties', false]]);
}

/** Go lets a flag stand for all that follows it. */
function asOurs(pattern: string): string {
  return pattern.replace(/\(\?i\)(.*)$/s, '(?i:$1)');
}
