import { describe, expect, it } from 'vitest';
import { cellOf, scenarioOf } from '../../../src/bench/xrbench/cell.ts';
import { readConfigurations } from '../../../src/bench/xrbench/compare.ts';
import { readCosts } from '../../../src/bench/xrbench/cost-table.ts';
import { readScenarios } from '../../../src/bench/xrbench/scenario.ts';
import { nearest } from '../../../src/config/nearest.ts';
import { CoxswainError } from '../../../src/core/errors.ts';

const HEAD = 'hardware,dataflow,model,latency_ms,energy_mj';
const SCENARIO_HEAD = 'scenario,model,fps,after,probability';

function problemOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof CoxswainError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a costs file', () => {
  it.each([
    ['empty', '', 'c.csv:1: there is no table'],
    ['only comments', '# a\n# b\n', 'c.csv:1: there is no table'],
    ['without rows', `${HEAD}\n`, 'the table has no rows'],
    ['with wrong columns', 'hardware,model,latency\nA,B,1\n', 'c.csv:1: the columns are "hardware,model,latency", and must be'],
    ['with a column twice', 'hardware,hardware,model,latency_ms,energy_mj\n', 'c.csv:1: the columns are'],
    ['with a short row', `${HEAD}\nA,WS,m,1\n`, 'c.csv:2: has 4 cells'],
    ['with NaN', `# note\n${HEAD}\nA,WS,m,NaN,1\n`, 'c.csv:3: latency_ms is "NaN"'],
    ['with an infinite energy', `${HEAD}\nA,WS,m,1,Infinity\n`, 'c.csv:2: energy_mj is "Infinity"'],
    ['with a hexadecimal number', `${HEAD}\nA,WS,m,0x10,1\n`, 'c.csv:2: latency_ms is "0x10"'],
    ['with an empty number', `${HEAD}\nA,WS,m,,1\n`, 'c.csv:2: latency_ms is ""'],
    ['with a latency of zero', `${HEAD}\nA,WS,m,0,1\n`, 'c.csv:2: latency_ms is "0", and must be over 0'],
    ['with a negative latency', `${HEAD}\nA,WS,m,-1,1\n`, 'c.csv:2: latency_ms is "-1"'],
    ['with a latency of years', `${HEAD}\nA,WS,m,1e12,1\n`, 'c.csv:2: latency_ms is "1e12"'],
    ['with a negative energy', `${HEAD}\nA,WS,m,1,-1\n`, 'c.csv:2: energy_mj is "-1"'],
    ['with a row twice', `${HEAD}\nA,WS,m,1,1\nA,WS,m,2,1\n`, 'c.csv:3: "A,WS,m" stands on line 2 already'],
    ['with an empty name', `${HEAD}\nA,WS,,1,1\n`, 'c.csv:2: model is ""'],
    ['with a dataflow that could be two', `${HEAD}\nA,WS_OS,m,1,1\n`, 'c.csv:2: dataflow is "WS_OS"'],
    ['of garbage', '\u0000\u001b[2J\u0001', 'c.csv:1: the columns are "\\u0000\\u001b[2J\\u0001"'],
  ])('%s is refused with its line', (_, text, words) => {
    expect(problemOf(() => readCosts('c.csv', text))).toContain(words);
  });

  it('tells all its problems at once, up to twenty', () => {
    const rows = Array.from({ length: 30 }, (_, index) => `A,WS,m${index},x,1`).join('\n');
    const lines = problemOf(() => readCosts('c.csv', `${HEAD}\n${rows}\n`)).split('\n');
    expect(lines).toHaveLength(21);
    expect(lines[20]).toBe('... and 10 more');
  });

  it('is taken with a mark, Windows line ends, spaces, and columns in another order', () => {
    const table = readCosts('c.csv', '\uFEFFmodel, hardware,dataflow,energy_mj,latency_ms\r\nm,A,WS, 3,1.5\r\n');
    expect(table.byHardware.get('A')?.get('WS')?.get('m')).toEqual({ latencyUs: 1500, energyUj: 3000 });
  });

  it('with more than a hundred thousand rows is refused', () => {
    const text = `${HEAD}\n${'A,WS,m,1,1\n'.repeat(100_001)}`;
    expect(problemOf(() => readCosts('c.csv', text))).toContain('at most 100000 rows');
  });
});

describe('a scenarios file', () => {
  it.each([
    ['a model twice', 's,m,30,,1\ns,m,30,,1', 's.csv:3: "m" is in "s" already'],
    ['a rate of zero', 's,m,0,,1', 's.csv:2: fps is "0"'],
    ['half a frame', 's,m,1.5,,1', 's.csv:2: fps is "1.5"'],
    ['a probability over one', 's,m,30,,1.1', 's.csv:2: probability is "1.1"'],
    ['a dependency on nobody', 's,m,30,x,1', 's.csv:2: after is "x", which is no model of this scenario'],
    ['a dependency across rates', 's,a,30,,1\ns,b,60,a,1', 's.csv:3: has 60 fps, and must have the 30 of "a"'],
    ['a dependency on itself', 's,a,30,a,1', 's.csv:2: "a" comes after itself'],
    ['a circle', 's,a,30,b,1\ns,b,30,c,1\ns,c,30,a,1', 's.csv:2: "a" comes after itself'],
  ])('with %s is refused', (_, rows, words) => {
    expect(problemOf(() => readScenarios('s.csv', `${SCENARIO_HEAD}\n${rows}\n`))).toContain(words);
  });
});

describe('a cell', () => {
  const table = readCosts('c.csv', `${HEAD}\nDual_4K,WS,m,1,1\nDual_4K,OS,m,1,1\nDual_4K,OS,n,1,1\n`);
  const scenarios = readScenarios('s.csv', `${SCENARIO_HEAD}\ngame,m,30,,1\ngame,n,30,,1\n`);
  const scenario = scenarioOf(scenarios, 'game', nearest);

  it.each([
    ['Dual_4K', 'must be HARDWARE__DATAFLOWS'],
    ['Dual_4K__', 'must be HARDWARE__DATAFLOWS'],
    ['Dual_4K__WS__OS', 'must be HARDWARE__DATAFLOWS'],
    ['Duel_4K__WS', `no costs for hardware "Duel_4K"; known are Dual_4K; did you mean 'Dual_4K'?`],
    ['Dual_4K__XS', `c.csv: no costs on Dual_4K for dataflow "XS"; known are WS, OS`],
    ['Dual_4K__WS_OS', 'needs rows that are missing: Dual_4K,WS,n'],
    [`Dual_4K__${Array(65).fill('OS').join('_')}`, 'has 65 accelerators; allowed are 64'],
  ])('of configuration %s says what is wrong', (configuration, words) => {
    expect(problemOf(() => cellOf(table, configuration, scenario, nearest))).toContain(words);
  });

  it('of an unknown scenario says which was meant', () => {
    expect(problemOf(() => scenarioOf(scenarios, 'gaem', nearest))).toContain(`known are game; did you mean 'game'?`);
  });

  it('of a configuration named twice is refused', () => {
    expect(problemOf(() => readConfigurations('f.csv', 'configuration\nA__B\nA__B\n'))).toContain('f.csv:3: A__B stands above already');
  });
});
