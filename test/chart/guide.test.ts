/** The guide is one journey: what it shows is in files, its commands run, and what one step names another one makes. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { readCommands } from '../../tools/readme-commands.ts';
import { chart, findHelm, ofKind, podOf, readManifests, withoutHelm } from './helm.ts';
import { isAllowed } from './network.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(root, 'docs/guides/kubernetes.md'), 'utf8');
const commands = readCommands(page);
const snippets = join(root, 'docs/snippets/kubernetes');
const snippet = (name: string): string => readFileSync(join(snippets, name), 'utf8');
const server = readManifests(snippet('mcp-server.yaml'));

const helm = findHelm();
const note = helm === undefined ? withoutHelm : '';

test.each(['mcp-server', 'values', 'prometheus-adapter'])('shows its %s.yaml as it is', (name) => {
  expect(page).toContain(`\`\`\`yaml\n${snippet(`${name}.yaml`)}\`\`\`\n`);
});

test('names the metric that the autoscaler asks for', () => {
  const metric = 'portcullis_streams_open';
  expect(snippet('prometheus-adapter.yaml')).toContain(metric);
  expect(readFileSync(join(chart, 'templates/hpa.yaml'), 'utf8')).toContain(`name: ${metric}`);
  expect(readFileSync(join(root, 'docs/reference/metrics.md'), 'utf8')).toContain(`\`${metric}\` | gauge`);
});

describe.skipIf(helm === undefined)(`a reader who types its commands${note}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-guide-'));
  symlinkSync(chart, join(folder, 'helm'));
  copyFileSync(join(snippets, 'values.yaml'), join(folder, 'values.yaml'));
  afterAll(() => rmSync(folder, { recursive: true }));

  const run = (command: string): string => {
    // A helm that Go compiled takes an ancient version for that of the cluster.
    const args = [...command.split(' ').slice(1), '--kube-version', '1.34.0'];
    const { status, stdout, stderr } = spawnSync(helm ?? '', args, { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return stdout;
  };
  const rendering = commands.find((command) => command.startsWith('helm template ')) ?? '';
  const manifests = helm === undefined ? [] : readManifests(run(rendering));

  test('gets no complaint from helm', () => {
    const linting = commands.find((command) => command.startsWith('helm lint ')) ?? '';
    expect(run(linting)).toContain('0 chart(s) failed');
  });

  test('installs what was rendered', () => {
    const install = commands.find((command) => command.startsWith('helm upgrade '));
    expect(install).toBe(rendering.replace('helm template', 'helm upgrade --install'));
  });

  test('waits for the Deployment that there is, with the secret that was made', () => {
    const { name } = ofKind(manifests, 'Deployment').metadata;
    expect(commands).toContain(`kubectl --namespace mcp rollout status deployment/${name}`);
    const [, secret, key] =
      /create secret generic (\S+) --from-literal=([\w-]+)=/.exec(commands.join('\n')) ?? [];
    expect(podOf(manifests).container.env).toContainEqual({
      name: 'PORTCULLIS_SESSION_KEY',
      valueFrom: { secretKeyRef: { name: secret, key } },
    });
  });

  test('ends with a server that the gateway alone reaches, and was open to all before (E-008)', () => {
    const to = { namespace: 'mcp', labels: podOf(server).labels };
    const gateway = { namespace: 'mcp', labels: podOf(manifests).labels };
    const probe = { namespace: 'mcp', labels: { run: 'probe' } };
    expect(isAllowed(server, { from: probe, to, port: 8000 })).toBe(true);
    expect(isAllowed(manifests, { from: gateway, to, port: 8000 })).toBe(true);
    expect(isAllowed(manifests, { from: probe, to, port: 8000 })).toBe(false);
  });
});
