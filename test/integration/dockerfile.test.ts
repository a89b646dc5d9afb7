import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lastOf, named, readCopy, readExecForm, readPairs, readStages } from './dockerfile.ts';
import type { Stage } from './dockerfile.ts';

const dockerfile = read('Dockerfile');
const manifest = JSON.parse(read('package.json')) as { version: string; license: string };
const runtime = JSON.parse(read('tools/runtime/package.json')) as { version: string };

function read(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
}

/** Every rule the image has to keep, as the sentences of those that are broken. */
function findFaults(text: string): readonly string[] {
  const stages = readStages(text);
  const final = stages.at(-1);
  if (final === undefined) {
    return ['no stage'];
  }
  return [
    ...stages.flatMap((stage) => findBaseFaults(stage, stages)),
    ...stages.flatMap(findSecretFaults),
    ...stages.flatMap(findCopyFaults),
    ...findUserFaults(final),
    ...findStartFaults(final),
    ...findDependencyFaults(final, stages),
    ...findLabelFaults(final),
  ];
}

function findBaseFaults({ base }: Stage, stages: readonly Stage[]): readonly string[] {
  const isPinned = /@sha256:[0-9a-f]{64}$/.test(base) || /:\d+\.\d+\.\d+-[a-z-]+$/.test(base);
  if (stages.some((stage) => stage.name === base)) {
    return [];
  }
  if (!isPinned) {
    return [`base ${base} isn't pinned`];
  }
  return base.startsWith(`node:${runtime.version}-`) ? [] : [`base ${base} isn't the runtime the tests use`];
}

function findSecretFaults(stage: Stage): readonly string[] {
  const names = [...readPairs([...named(stage, 'ARG'), ...named(stage, 'ENV')]).keys()];
  return names
    .filter((name) => /secret|token|passw|key|credential|auth/i.test(name))
    .map((name) => `${name} would stay in the image's history`);
}

function findCopyFaults(stage: Stage): readonly string[] {
  const admitted = new Set([...read('.dockerignore').matchAll(/^!(.*)$/gm)].map(([, name]) => name));
  const copied = named(stage, 'COPY')
    .map(readCopy)
    .filter(({ from }) => from === undefined);
  return [
    ...named(stage, 'ADD').map(({ text }) => `ADD ${text} unpacks or downloads`),
    ...copied
      .flatMap(({ sources }) => sources)
      .filter((source) => !admitted.has(source))
      .map((source) => `COPY ${source} isn't one of the files that .dockerignore admits`),
  ];
}

function findUserFaults(final: Stage): readonly string[] {
  const user = lastOf(final, 'USER');
  return /^[1-9]\d*:[1-9]\d*$/.test(user ?? '') ? [] : [`USER ${user} isn't a number other than root`];
}

function findStartFaults(final: Stage): readonly string[] {
  const entrypoint = readExecForm(lastOf(final, 'ENTRYPOINT') ?? '');
  const command = readExecForm(lastOf(final, 'CMD') ?? '');
  const check = readExecForm((lastOf(final, 'HEALTHCHECK') ?? '').replace(/^CMD\s+/, ''))?.join(' ') ?? '';
  const ports = (lastOf(final, 'EXPOSE') ?? '').split(/\s+/);
  const rules: readonly (readonly [boolean, string])[] = [
    [entrypoint?.join(' ') === 'node dist/main.js', 'ENTRYPOINT is not node dist/main.js in exec form'],
    [command?.[0] === 'serve' && command.includes('/etc/portcullis/config.yaml'), 'CMD does not serve'],
    [check.includes('9090') && check.includes('/healthz'), 'HEALTHCHECK does not ask the ops port'],
    [lastOf(final, 'WORKDIR')?.startsWith('/') === true, 'WORKDIR is missing'],
    [readPairs(named(final, 'ENV')).get('NODE_ENV') === 'production', 'NODE_ENV is not production'],
    [ports.includes('8080') && ports.includes('9090'), 'EXPOSE lacks a listener'],
  ];
  return rules.filter(([holds]) => !holds).map(([, fault]) => fault);
}

function findDependencyFaults(final: Stage, stages: readonly Stage[]): readonly string[] {
  const taken = named(final, 'COPY')
    .map(readCopy)
    .flatMap(({ from, sources }) => (from === undefined ? [] : sources.map((source) => ({ from, source }))));
  const faults = taken.flatMap(({ from, source }) => {
    const origin = stages.find(({ name }) => name === from);
    if (origin === undefined) {
      return [`no stage is called ${from}`];
    }
    const isBundle = source.endsWith('/bundle') && bundles(origin);
    const isLean = source.endsWith('/node_modules') && installsForProduction(origin);
    return isBundle || isLean ? [] : [`${source} isn't the bundle and not without dev dependencies`];
  });
  return [...named(final, 'RUN').map(({ text }) => `RUN ${text} in the final stage`), ...faults];
}

/** Bundled from what was type-checked. */
function bundles(stage: Stage): boolean {
  return named(stage, 'RUN').at(-1)?.text === 'npm run build && npm run bundle';
}

function installsForProduction(stage: Stage): boolean {
  const commands = named(stage, 'RUN').map(({ text }) => text);
  return commands.length === 1 && commands[0] === 'npm ci --omit=dev --ignore-scripts';
}

function findLabelFaults(final: Stage): readonly string[] {
  const labels = readPairs(named(final, 'LABEL'));
  const expected = { version: manifest.version, licenses: manifest.license, title: 'portcullis' };
  const wrong = Object.entries(expected).filter(
    ([name, value]) => labels.get(`org.opencontainers.image.${name}`) !== value,
  );
  return wrong.map(([name, value]) => `label org.opencontainers.image.${name} isn't ${value}`);
}

test('the image is lean, pinned, without root and without secrets', () => {
  expect(findFaults(dockerfile)).toEqual([]);
});

const mistakes: readonly (readonly [string, string, string, string])[] = [
  ['a moving tag', 'node:24.21.0-bookworm-slim', 'node:24-slim', "isn't pinned"],
  ['no tag', 'node:24.21.0-bookworm-slim', 'node', "isn't pinned"],
  ['another Node', 'node:24.21.0-bookworm-slim', 'node:22.12.0-bookworm-slim', "isn't the runtime"],
  ['a root user', 'USER 1000:1000', 'USER 0:0', "isn't a number other than root"],
  ['a user by name', 'USER 1000:1000', 'USER node', "isn't a number other than root"],
  ['root at the end', 'EXPOSE 8080 9090', 'USER root\nEXPOSE 8080 9090', "isn't a number other than root"],
  ['no user', 'USER 1000:1000', '', "isn't a number other than root"],
  ['a shell as process 1', '["node", "dist/main.js"]', 'node dist/main.js', 'exec form'],
  ['another command', '["serve", ', '["check", ', 'CMD does not serve'],
  ['a health check of the public port', '|| 9090', '|| 8080', 'HEALTHCHECK'],
  ['a health check by curl', 'CMD ["node", "-e",', 'CMD curl', 'HEALTHCHECK'],
  ['no health check', 'HEALTHCHECK --interval', 'STOPSIGNAL --interval', 'HEALTHCHECK'],
  ['no working directory', 'WORKDIR /app', '', 'WORKDIR'],
  ['no NODE_ENV', 'ENV NODE_ENV=production', '', 'NODE_ENV'],
  ['a listener not exposed', 'EXPOSE 8080 9090', 'EXPOSE 8080', 'EXPOSE'],
  ['dev dependencies in the image', ' --omit=dev', '', 'dev dependencies'],
  ['scripts of dependencies', '--omit=dev --ignore-scripts', '--omit=dev', 'dev dependencies'],
  ['the build tree in the image', '/build/bundle dist', '/build ./', 'dev dependencies'],
  ['what tsc made', '/build/bundle dist', '/build/dist dist', 'dev dependencies'],
  ['a bundle that nothing type-checked', 'npm run build && ', '', 'dev dependencies'],
  ['an install in the image', 'EXPOSE', 'RUN npm install left-pad\nEXPOSE', 'final stage'],
  ['a stage that is missing', '--from=dependencies', '--from=deps', 'no stage is called deps'],
  ['a download', 'EXPOSE', 'ADD https://example.com/x.tgz /app\nEXPOSE', 'downloads'],
  ['the whole context', 'COPY src src', 'COPY . .', '.dockerignore'],
  ['a secret as an argument', 'WORKDIR /build', 'ARG NPM_TOKEN\nWORKDIR /build', 'history'],
  ['a secret in the environment', 'NODE_ENV=production', 'NODE_ENV=production API_KEY=x', 'history'],
  ['another version', 'version="0.1.0"', 'version="0.0.9"', 'label'],
  ['no licence label', 'licenses="Apache-2.0"', 'vendor="x"', 'label'],
];

test.each(mistakes)('the check refuses %s', (_mistake, correct, wrong, fault) => {
  expect(dockerfile).toContain(correct);
  expect(findFaults(dockerfile.replaceAll(correct, wrong)).join('\n')).toContain(fault);
});
