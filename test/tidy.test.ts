import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';

/** Files that git knows or would take: what a reader of the project sees. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '');
const read = (file: string): string => readFileSync(file, 'utf8');
const matching = (pattern: RegExp): string[] => files.filter((file) => pattern.test(file));

const sources = matching(/^src\/.*\.ts$/);
const tests = matching(/^test\/.*\.ts$/);
const code = matching(/^(src|test|tools)\/.*\.ts$/);

/** Lines of `file` that match, as `file:line: text`. */
function findings(file: string, pattern: RegExp): string[] {
  return read(file)
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : []));
}

describe('the tree', () => {
  it('has no code file over 400 lines', () => {
    const long = code.filter((file) => read(file).split('\n').length > 401);
    expect(long).toEqual([]);
  });

  it('has no drawer for everything', () => {
    expect(sources.filter((file) => /\b(utils?|common|misc|helpers?|manager)\b/.test(file))).toEqual([]);
  });

  it('has one table of folders: in ARCHITECTURE.md, in the import rules and on disk', () => {
    const onDisk = [...new Set(sources.map((file) => file.split('/')[1] ?? '').filter((name) => !name.endsWith('.ts')))].sort();
    const architecture = read('ARCHITECTURE.md');
    const described = [...architecture.matchAll(/^\| `src\/([a-z]+)\/` \|/gm)].map((match) => match[1]).sort();
    const rules = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as { forbidden: { name: string }[] };
    const ruled = rules.forbidden.flatMap(({ name }) => /^([a-z]+)-imports-only-what-it-may$/.exec(name)?.[1] ?? []).sort();
    expect(described).toEqual(onDisk);
    expect(ruled).toEqual(onDisk);
  });

  it('describes every folder of the project root in ARCHITECTURE.md', () => {
    const architecture = read('ARCHITECTURE.md');
    const roots = [...new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0] ?? ''))];
    expect(roots.filter((root) => !architecture.includes(`\`${root}/`))).toEqual([]);
  });

  it('names no machine, no registry host and no resolved address', () => {
    const text = files.filter((file) => /\.(ts|cjs|json|md|ya?ml|sh|grit)$|^\.npmrc$|^\.ci\//.test(file) && file !== 'test/tidy.test.ts');
    const hits = text.flatMap((file) => findings(file, /registry\.npmjs|\/work\/|\.library|"resolved":|(^|[^a-z.])\/root\//));
    expect(hits).toEqual([]);
  });
});

describe('the code', () => {
  it('reads time and chance only through Clock and Prng', () => {
    const ambient = /\b(setTimeout|setInterval|Date\.now|performance\.now|process\.hrtime|Math\.random)\b|new Date\(\)/;
    const hits = sources.filter((file) => file !== 'src/core/system-clock.ts').flatMap((file) => findings(file, ambient));
    expect(hits.filter((hit) => !/: (\*|\/\/|\/\*)/.test(hit))).toEqual([]);
  });

  it('reads the environment only in the command line', () => {
    const hits = sources.filter((file) => !file.startsWith('src/cli/')).flatMap((file) => findings(file, /process\.env\b/));
    expect(hits).toEqual([]);
  });

  it('never silences the compiler or the linter without a reason', () => {
    expect(code.flatMap((file) => (file === 'test/tidy.test.ts' ? [] : findings(file, /@ts-(ignore|nocheck)|biome-ignore-all/)))).toEqual(
      [],
    );
  });
});

describe('the tests', () => {
  it('has none that is focused or switched off', () => {
    expect(tests.flatMap((file) => findings(file, /\b(it|test|describe)\.(only|skip|todo)\(/))).toEqual([]);
  });

  it('never sleeps where time is simulated', () => {
    const simulated = tests.filter((file) => /^test\/(unit|property|simulation)\//.test(file));
    expect(simulated.flatMap((file) => findings(file, /\bsetTimeout\(|timers\/promises/))).toEqual([]);
  });
});
