import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../../src/config/problem.ts';
import { parseYaml, YamlDocument } from '../../../src/config/yaml-document.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function parsed(text: string | Uint8Array): YamlDocument {
  const document = parseYaml('x.yaml', typeof text === 'string' ? bytes(text) : text);
  if (!(document instanceof YamlDocument)) throw new Error(document.map(formatProblem).join('\n'));
  return document;
}

function refused(text: string | Uint8Array): string {
  const document = parseYaml('x.yaml', typeof text === 'string' ? bytes(text) : text);
  if (document instanceof YamlDocument) throw new Error('accepted');
  return document.map(formatProblem).join('\n');
}

describe('parseYaml', () => {
  it('reads YAML 1.2: no stays a text, and JSON is YAML', () => {
    expect(parsed('a: no\nb: [1, 0x10, .5]\n').value).toEqual({ a: 'no', b: [1, 16, 0.5] });
    expect(parsed('{"a": {"b": null}}').value).toEqual({ a: { b: null } });
  });

  it('accepts a byte order mark and DOS line ends', () => {
    const document = parsed('\ufeffa: 1\r\nb: 2\r\n');
    expect(document.value).toEqual({ a: 1, b: 2 });
    expect(document.positionOf(['b'])).toEqual({ line: 2, column: 4 });
  });

  it('resolves a few aliases', () => {
    expect(parsed('a: &size { w: 1 }\nb: *size\nc: *size\n').value).toEqual({ a: { w: 1 }, b: { w: 1 }, c: { w: 1 } });
  });

  const levels = 'abcdefghi'.split('');
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${levels
    .slice(1)
    .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${levels[index]}`).join(', ')}]`)
    .join('\n')}\n`;

  it.each([
    ['an empty file', '', 'x.yaml:1:1: the file is empty'],
    ['a file of comments', '# nothing\n', 'x.yaml:1:1: the file is empty'],
    ['a null document', '--- ~\n', 'x.yaml:1:1: the file is empty'],
    ['a list', '- a\n', 'x.yaml:1:1: the file is not a mapping'],
    ['a plain text', 'hello', 'x.yaml:1:1: the file is not a mapping'],
    ['a duplicate key', 'a: 1\nb: 1\na: 2\n', 'x.yaml:3:1: this key is given twice'],
    ['a duplicate key further in', 'p:\n  a: {}\n  a: {}\n', 'x.yaml:3:3: this key is given twice'],
    ['a tab as indentation', 'a:\n\tb: 1\n', 'x.yaml:2:1: a tab is used as indentation'],
    ['a second document', 'a: 1\n---\nb: 2\n', 'x.yaml:2:1: a second document begins here'],
    ['an alias bomb', bomb, 'x.yaml:1:1: aliases stand for too much'],
    ['an alias for nothing', 'a: *b\n', 'aliases stand for too much (limit 100) or for nothing'],
    ['a tag', 'a: 1\nb: !!js/function "x"\n', 'x.yaml:2:4: tags are not allowed'],
    ['a binary tag', 'a: !!binary aGk=\n', 'x.yaml:1:4: tags are not allowed'],
    ['a key that is no text', '? [a]\n: 1\n', 'x.yaml:1:3: a key must be plain text'],
    ['YAML 1.1', '%YAML 1.1\n---\na: yes\n', 'got YAML 1.1; allowed is 1.2'],
    ['an unknown directive', '%FOO bar\n---\na: 1\n', 'x.yaml:1:1: not valid YAML'],
    ['an open quote', 'a: "xyz\nb: 1', 'x.yaml:2:5: not valid YAML: Missing closing "quote'],
    ['__proto__', 'a:\n  __proto__: { x: 1 }\n', 'x.yaml:2:3: the key "__proto__" is not allowed'],
    ['a NUL', 'a: 1\nb\u0000: 1\n', 'x.yaml:2:2: got the control character U+0000'],
    ['an escape character', 'a: "\u001b[2J"\n', 'x.yaml:1:5: got the control character U+001b'],
  ])('refuses %s', (_, text, problem) => {
    expect(refused(text)).toContain(problem);
  });

  it('refuses nesting past its limit, and far past it, without running out of stack', () => {
    const nested = (depth: number): string => `a: ${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(parsed(nested(31)).value).toBeDefined();
    expect(refused(nested(32))).toContain('nested deeper than the 32 levels allowed');
  });

  it.each(['[', '{', '- ', '? ', '{a: ', '[a: ', '- ? ', '- a: ', 'a: ', '&a [', '"a": - ', '? - '])(
    'refuses a file full of %j before it can end the process',
    (piece) => {
      expect(refused(piece.repeat(65_536 / piece.length))).toMatch(
        /^x\.yaml:1:\d+: (nested deeper than the 32 levels allowed|not valid YAML)/,
      );
    },
  );

  it('points at the first byte that is not UTF-8', () => {
    expect(refused(Uint8Array.of(0x61, 0x3a, 0x20, 0x31, 0x0a, 0x62, 0xff, 0x3a))).toContain('x.yaml:2:2: the bytes here are not UTF-8');
    expect(refused(Uint8Array.of(0x61, 0x3a, 0x20, 0xe2, 0x82))).toContain('x.yaml:1:4: the bytes here are not UTF-8');
    expect(refused(Uint8Array.of(0xff, 0xfe, 0x61, 0x00))).toContain('x.yaml:1:1: the bytes here are not UTF-8');
  });

  it('takes an alias inside its own anchor for what it is and ends', () => {
    expect(parsed('a: &a [*a]\n').positionOf(['a', 0, 0, 0])).toEqual({ line: 1, column: 8 });
  });

  it('never quotes the file in a message of the parser', () => {
    for (const text of [
      'password: *hunter2\n',
      'password: !hunter2 x\n',
      'password: "a" hunter2\n',
      'password: @hunter2\n',
      'password: "\\hunter2"\n',
    ]) {
      expect(refused(text)).not.toContain('hunter2');
    }
  });
});

describe('positions', () => {
  const document = parsed('a: 1\nlist:\n  - { b: 2 }\n  - x\nshared: &s\n  deep: 3\nalias: *s\n');

  it('are those of values, of keys for what holds more, and of the nearest thing around what is missing', () => {
    expect(document.positionOf(['a'])).toEqual({ line: 1, column: 4 });
    expect(document.positionOf(['list'])).toEqual({ line: 2, column: 1 });
    expect(document.positionOf(['list', 0, 'b'])).toEqual({ line: 3, column: 10 });
    expect(document.positionOf(['list', 1])).toEqual({ line: 4, column: 5 });
    expect(document.positionOf(['list', 0, 'missing'])).toEqual({ line: 3, column: 5 });
    expect(document.positionOf(['shared', 'missing', 'further'])).toEqual({ line: 5, column: 1 });
    expect(document.positionOf(['missing'])).toEqual({ line: 1, column: 1 });
  });

  it('of a key are those of the key', () => {
    expect(document.positionOfKey(['list', 0, 'b'])).toEqual({ line: 3, column: 7 });
  });

  it('look through aliases', () => {
    expect(document.positionOf(['alias'])).toEqual({ line: 7, column: 8 });
    expect(document.positionOf(['alias', 'deep'])).toEqual({ line: 6, column: 9 });
  });

  it('are listed for everything that is written', () => {
    expect(document.positions()).toEqual({
      a: { line: 1, column: 4 },
      list: { line: 2, column: 1 },
      'list[0]': { line: 3, column: 5 },
      'list[0].b': { line: 3, column: 10 },
      'list[1]': { line: 4, column: 5 },
      shared: { line: 5, column: 1 },
      'shared.deep': { line: 6, column: 9 },
      alias: { line: 7, column: 8 },
    });
  });
});
