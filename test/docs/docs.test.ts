/** The pages against the code and against each other: what they show is loaded, what they link to is there. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { loadConfiguration } from '../../src/config/load.ts';
import { readCommands } from '../../tools/readme-commands.ts';
import { metricsPage } from '../../tools/generate-metrics-reference.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const pages = ['*.md', 'docs/**/*.md', 'helm/*.md'].flatMap((pattern) => globSync(pattern, { cwd: root }));
const snippets = globSync('docs/snippets/*.yaml', { cwd: root });
const pkcs8 = { type: 'pkcs8', format: 'pem' } as const;
const decisions = globSync('docs/decisions/*.md', { cwd: root }).toSorted();

describe('the snippets', () => {
  it('are found', () => {
    expect(snippets.length).toBeGreaterThan(2);
  });

  it.each(snippets)('%s starts a gateway as it is (C1)', (file) => {
    const SIGNING_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .privateKey.export(pkcs8)
      .toString();
    const environment = {
      INTROSPECTION_SECRET: 'secret',
      GITHUB_TOKEN: 'secret',
      EXCHANGE_SECRET: 'secret',
      TOKEN_STORE_KEY: randomBytes(32).toString('base64'),
      LOGIN_SECRET: 'secret',
      PORTCULLIS_SESSION_KEY: randomBytes(32).toString('base64'),
      REDIS_URL: 'rediss://portcullis:password@redis.example.com:6379/0',
      SIGNING_KEY,
    };
    const loaded = loadConfiguration(read(file), { file, environment, readFile: read });
    expect(loaded).toMatchObject({ ok: true });
  });

  it('have a smallest one, of five lines, which the README shows as it is', () => {
    const smallest = read('docs/snippets/smallest.yaml');
    expect(smallest.trimEnd().split('\n')).toHaveLength(5);
    expect(read('README.md')).toContain(`\`\`\`yaml\n${smallest}\`\`\`\n`);
  });

  it('in the pages are the files, but for comments', () => {
    const shown = yamlBlocks(read('docs/guides/getting-started.md'));
    expect(shown).toContain(withoutComments(read('docs/snippets/getting-started.yaml')));
  });
});

it('the guide to tenants shows its snippet as it is, but for comments', () => {
  const snippet = withoutComments(read('docs/snippets/tenants.yaml'));
  expect(yamlBlocks(read('docs/guides/tenants.md'))).toContain(snippet);
});

it('the guide to opaque tokens shows its snippet as it is', () => {
  const snippet = read('docs/snippets/opaque-tokens.yaml');
  expect(yamlBlocks(read('docs/guides/opaque-tokens.md'))).toContain(snippet);
});

it('the guide to signed identity shows its snippets as they are', () => {
  const page = read('docs/guides/signed-identity.md');
  for (const file of ['signed-identity.yaml', 'verify-assertion.ts', 'verify_assertion.py']) {
    const [, language = ''] = file.split('.');
    const tag = language === 'py' ? 'python' : language;
    expect(page).toContain(`\`\`\`${tag}\n${read(`docs/snippets/${file}`)}\`\`\`\n`);
  }
});

it('the guides to credentials and embedding show their snippets as they are', () => {
  const page = read('docs/guides/upstream-credentials.md');
  for (const kind of ['static', 'headers', 'exchange', 'passthrough', 'oauth', 'user-login'])
    expect(yamlBlocks(page)).toContain(read(`docs/snippets/credentials-${kind}.yaml`));
  const program = read('docs/snippets/embedding.ts').replace("'../../src/index.ts'", "'portcullis'");
  expect(read('docs/guides/embedding.md')).toContain(`\`\`\`ts\n${program}\`\`\`\n`);
});

it('the guide to Redis shows its snippet as it is', () => {
  expect(yamlBlocks(read('docs/guides/redis.md'))).toContain(read('docs/snippets/redis.yaml'));
});

it('the guide to limits shows its snippet as it is', () => {
  expect(yamlBlocks(read('docs/guides/limits.md'))).toContain(read('docs/snippets/limits.yaml'));
});

it.each(['read-and-write', 'groups', 'public', 'arguments', 'resources'])(
  'the guide to policy shows its snippet %s as it is',
  (name) => {
    expect(yamlBlocks(read('docs/guides/policy.md'))).toContain(read(`docs/snippets/policy-${name}.yaml`));
  },
);

describe('the guides of identity providers', () => {
  it.each(['keycloak', 'entra-id', 'okta', 'auth0', 'google'])('%s shows its snippet as it is', (name) => {
    const file = `docs/snippets/${name}.yaml`;
    expect(yamlBlocks(read(`docs/guides/${name}.md`))).toContain(read(file));
    for (const index of ['README.md', 'docs/README.md'])
      expect(linksOf(index).map((link) => relative(root, link.file))).toContain(`docs/guides/${name}.md`);
  });
});

describe('the pages', () => {
  it('are found', () => {
    expect(pages).toContain('README.md');
    expect(pages.length).toBeGreaterThan(25);
  });

  it.each(pages)('%s links to nothing that is not there', (page) => {
    expect(linksOf(page).filter((link) => !existsSync(link.file))).toEqual([]);
  });

  it.each(pages)('%s links to headings that are there', (page) => {
    const lost = linksOf(page).filter(
      ({ file, anchor }) => anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor),
    );
    expect(lost).toEqual([]);
  });

  it.each(pages)('%s names no place outside of the repository', (page) => {
    const text = read(page);
    const climbing = [...text.matchAll(/(?:\.\.\/)+[\w.-][\w./-]*/g)]
      .map(([path]) => relative(root, join(root, dirname(page), path)))
      .filter((path) => path.startsWith('..') || !existsSync(join(root, path)));
    expect(climbing).toEqual([]);
    expect(text).not.toMatch(/(?<![\w.])\/(?:home|root|tmp|work|Users)\b/);
  });

  it('number the decisions without a gap', () => {
    const numbers = decisions.map((file) => Number(/(\d{4})-[a-z0-9-]+\.md$/.exec(file)?.[1]));
    expect(numbers).toEqual(decisions.map((_, index) => index + 1));
  });

  it.each(decisions)('%s is short, says what would change our mind, and is in the index', (file) => {
    const text = read(file);
    expect(text.split('\n').length).toBeLessThanOrEqual(61);
    expect(text).toMatch(/^## What would change our mind$/m);
    const title = /^# \d{4} (.+)$/m.exec(text)?.[1];
    expect(read('docs/README.md')).toContain(`(${relative('docs', file)}) ${title}`);
  });
});

describe('the reference', () => {
  it('explains every reason that a refusal can have, and no other', () => {
    const known = [...read('src/vocabulary/refusal.ts').matchAll(/'([a-z0-9_]+)'/g)].map(([, word]) => word);
    const explained = [...read('docs/guides/read-a-refusal.md').matchAll(/^\| `([a-z0-9_]+)` \|/gm)].map(
      ([, word]) => word,
    );
    expect(new Set(explained)).toEqual(new Set([...known, 'client_left']));
    expect(explained.length).toBe(new Set(explained).size);
  });

  it('lists every status and code that the gateway answers with, and every text', () => {
    const page = read('docs/reference/status-codes.md');
    const source = read('src/challenge/answer.ts');
    const answers = [...source.matchAll(/\banswer\(\s*(\d{3}),\s*(-?\d+),/g)];
    expect(answers.length).toBeGreaterThan(12);
    for (const [, status, code] of answers)
      expect(page).toMatch(new RegExp(`^\\| ${status} \\| ${code} \\|`, 'm'));
    const texts = [...source.matchAll(/'([A-Z][a-z][^']+)'/g)].map(([, text]) => text ?? '');
    expect(texts.length).toBeGreaterThan(12);
    for (const text of texts) expect(page).toContain(`| ${text} |`);
  });

  it('has the metrics of the gateway (W14)', async () => {
    const page = read('docs/reference/metrics.md');
    expect(await metricsPage(page)).toBe(page);
  });

  it('shows the usage that the command prints', () => {
    const usage = /const usage = `([^`]+)`/.exec(read('src/main.ts'))?.[1] ?? '';
    const commands = usage.split('\n').filter((line) => line.startsWith('  portcullis'));
    expect(commands.length).toBeGreaterThan(3);
    const page = read('docs/reference/command-line.md');
    for (const command of commands) expect(page).toContain(command.trim());
  });
});

it('the README’s commands are the two that a reader is promised, and what follows them', () => {
  const commands = readCommands(read('README.md'));
  expect(commands).toEqual(expect.arrayContaining(['npm ci', 'npm run demo', 'npm test']));
  const { scripts } = JSON.parse(read('package.json')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const asked = commands.map((command) => /^npm (?:run )?(\S+)/.exec(command)?.[1] ?? command);
  expect(asked.filter((script) => script !== 'ci' && !(script in scripts))).toEqual([]);
});

interface Link {
  readonly file: string;
  readonly anchor: string | undefined;
}

/** Relative links and pictures outside of code blocks. */
function linksOf(page: string): readonly Link[] {
  const prose = read(page).replaceAll(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor] = target.split('#');
      return { file: path === '' ? join(root, page) : join(root, dirname(page), path), anchor };
    });
}

/** As the usual hosts make them of headings. */
function anchorsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}

function yamlBlocks(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
}

function withoutComments(yaml: string): string {
  return yaml.replaceAll(/^#.*\n/gm, '').replaceAll(/^\n/gm, '');
}
