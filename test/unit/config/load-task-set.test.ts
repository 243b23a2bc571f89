import { describe, expect, test } from 'vitest';
import { loadTaskSet } from '../../../src/config/load-task-set.ts';
import { CoxswainError } from '../../../src/core/errors.ts';
import type { TaskSet } from '../../../src/core/task-set.ts';

const load = (text: string | Uint8Array, misfits: () => { path: (string | number)[]; text: string }[] = () => []): TaskSet =>
  loadTaskSet('t.json', {
    files: { read: () => (typeof text === 'string' ? new TextEncoder().encode(text) : text), realPath: (path) => path },
    misfits,
  });

/** The message of the CONFIG_INVALID that a text gives. */
function complaint(text: string | Uint8Array): string {
  try {
    load(text);
  } catch (thrown) {
    if (thrown instanceof CoxswainError && thrown.code === 'CONFIG_INVALID') return thrown.message;
    throw thrown;
  }
  return 'no complaint';
}

describe('loadTaskSet', () => {
  test('fills in what a short row leaves out', () => {
    const set = load('{"tasks": [{"c": 0.5, "t": 4}, {"id": "x", "c": 2, "t": 6, "d": 5, "crit": "HI", "cHi": 3}]}');
    expect(set.tasks[0]).toEqual({
      id: '1',
      c: 0.5,
      t: 4,
      d: 4,
      b: 0,
      j: 0,
      crit: 'LO',
      cHi: 0.5,
      cores: 1,
      path: 0.5,
      segment: 0.5,
      group: '',
      bytes: 0,
      budget: undefined,
    });
    expect(set).toMatchObject({ order: 'deadline', via: 'rta', servers: [], tasks: [{}, { id: 'x', cHi: 3 }] });
  });

  test.each([
    ['{"tasks": [{"c": 0, "t": 4}]}', 't.json:1:18: tasks[0].c: got 0; allowed is a number above 0'],
    ['{"tasks": [{"c": -1, "t": 4}]}', 'tasks[0].c: got -1'],
    ['{"tasks": [{"c": 1, "t": 0}]}', 'tasks[0].t: got 0'],
    ['{"tasks": [{"c": 1, "t": 4, "d": -4}]}', 'tasks[0].d: got -4'],
    ['{"tasks": [{"c": 1e999, "t": 4}]}', 'tasks[0].c: got Infinity'],
    ['{"tasks": [{"c": "1", "t": 4}]}', 'tasks[0].c: got "1"'],
    ['{"tasks": [{"c": null, "t": 4}]}', 'tasks[0].c: got an empty value'],
    ['{"tasks": [{"t": 4}]}', 'tasks[0].c: missing'],
    ['{"tasks": []}', 'a list of 1 to 20000 tasks'],
    ['{"tasks": [{"c": 1, "t": 4,\n"c": 2}]}', 't.json:2:1: this key is given twice in one mapping'],
    ['{"tasks": [{"c": 1, "t": 4}], "\\u0074asks": [{"c": 1, "t": 4}]}', 't.json:1:31: this key is given twice'],
    ['{"task": []}', "did you mean 'tasks'?"],
    ['{"tasks": [\n  {"c": 1, "t": 4},\n  {"c": 1, "t": 4, "crti": "HI"}\n]}', 't.json:3:20: tasks[1].crti: unknown key; allowed are'],
    ['{"tasks": [{"c": 1, "t": 4, "crit": "high"}]}', 'tasks[0].crit: got "high"; allowed is one of HI, LO'],
    ['{"tasks": [{"c": 3, "t": 4, "path": 4}]}', 'tasks[0].path: got 4; allowed is at most c, which is 3'],
    ['{"tasks": [{"c": 3, "t": 4, "crit": "HI", "cHi": 2}]}', 'tasks[0].cHi: got 2; allowed is at least c, which is 3'],
    ['{"tasks": [{"c": 3, "t": 4, "cHi": 5}]}', 'a LO task has no C(HI)'],
    ['{"cores": 2, "tasks": [{"c": 3, "t": 4, "cores": 3}]}', 'there are only 2 cores'],
    ['{"tasks": [{"id": "2", "c": 1, "t": 4}, {"c": 1, "t": 4}]}', 'the id "2" is given twice, the default of this row'],
    ['{"tasks": [{"c": 1, "t": 4}], "chains": [{"tasks": ["1", "7"]}]}', 'chains[0].tasks[1]: no task has the id "7"'],
    [
      '{"tasks": [{"id": "a", "c": 1, "t": 4}, {"id": "b", "c": 1, "t": 4}],\n"chains": [{"tasks": ["a", "b", "a"]}]}',
      't.json:2:33: chains[0].tasks[2]: the task "a" is in this chain already, as tasks[0], so data would go round in a circle; give each task once',
    ],
    ['{"tasks": [{"c": 1, "t": 4}], "servers": [{"q": 9, "t": 8}]}', 'servers[0].q: got 9; allowed is at most t, which is 8'],
    [
      '{"tasks": [{"c": 1, "t": 4}], "servers": [{"q": 3, "t": 8, "jobs": [{"r": 5, "c": 1}, {"r": 4, "c": 1}]}]}',
      'jobs must stand in order of release',
    ],
    ['{"tasks": [{"c": 1, "t": 4,}]}', 'not valid JSON'],
    ['', 'not valid JSON'],
    [
      '{\n  "tasks": [\n    {"c": 1, "t": 4},\n    {"c": NaN, "t": 4},\n    {"c": 1, "t": 4}\n  ]\n}\n',
      "t.json:4:11: not valid JSON: Unexpected token 'N'; JSON has no NaN, give a number",
    ],
    ['{"tasks": [\n{"c": -Infinity}]}', 't.json:2:8: not valid JSON'],
    ['{"tasks": [\n{"c": 1, "t": 4},\n]}', "t.json:3:1: not valid JSON: Unexpected token ']'"],
    ['[]', 'got an empty list; allowed is a mapping'],
  ])('says where and what is allowed for %s', (text, message) => {
    expect(complaint(text)).toContain(message);
  });

  test('is not hurt by depth', () => {
    expect(complaint(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)).toContain('allowed is a mapping');
  });

  test('refuses what is not UTF-8', () => {
    expect(complaint(new Uint8Array([0x7b, 0xff, 0x7d]))).toContain('not UTF-8');
  });

  test('passes on what the chosen test cannot work with, with its position', () => {
    const misfits = () => [{ path: ['tasks', 0, 'b'], text: 'qpa does not know b' }];
    expect(() => load('{"tasks": [\n{"c": 1, "t": 4, "b": 1}]}', misfits)).toThrow('t.json:2:23: tasks[0].b: qpa does not know b');
  });

  test('complains about ten thousand bad rows without taking long', () => {
    const rows = Array.from({ length: 10_000 }, () => '{"c": -1, "t": 4, "zz": 1}').join(',\n');
    expect(complaint(`{"tasks": [${rows}]}`)).toContain('and 19950 more');
  });
});
