import { describe, expect, it } from 'vitest';
import { loadRunCosts, type RunCostNames, type RunCostTable } from '../../../src/config/load-run-costs.ts';
import { CoxswainError } from '../../../src/core/errors.ts';
import { memoryFiles } from '../../support/config-files.ts';

const NAMES: RunCostNames = { models: ['finder', 'reader', 'spare'], used: ['finder', 'reader'], coreKinds: ['npu', 'dsp'] };

const read = (content: string | Uint8Array, names: RunCostNames = NAMES): RunCostTable =>
  loadRunCosts('costs.csv', names, { files: memoryFiles({ 'costs.csv': content }) });

function refusals(content: string | Uint8Array): string {
  try {
    read(content);
  } catch (thrown) {
    if (thrown instanceof CoxswainError && thrown.code === 'CONFIG_INVALID') return thrown.message;
    throw thrown;
  }
  throw new Error('the table was accepted');
}

const HEAD = 'model,core,latency_ms,worst_ms,dram_mb\n';

describe('a table of run costs', () => {
  it('gives what it says in microseconds and bytes, and where it says no more, a margin', () => {
    const table = read(`# measured\n\n${HEAD}finder,npu,2.5,4,12\nfinder, dsp ,10,,\nreader,*,1,,0\n`);
    expect(table.file).toBe('costs.csv');
    expect(table.costOf('finder', 'npu')).toEqual({ latencyUs: 2_500, worstUs: 4_000, bytes: 12e6 });
    expect(table.costOf('finder', 'dsp')).toEqual({ latencyUs: 10_000, worstUs: 11_500, bytes: undefined });
    expect(table.costOf('reader', 'dsp')).toEqual({ latencyUs: 1_000, worstUs: 1_150, bytes: 0 });
    expect(table.costOf('spare', 'npu')).toBeUndefined();
  });

  it('needs no more than three columns, in any order, and prefers a row of the very kind', () => {
    const table = read('core,latency_ms,model\r\nnpu,1,finder\r\n*,9,finder\r\n*,2e0,reader\r\n');
    expect(table.costOf('finder', 'npu')?.latencyUs).toBe(1_000);
    expect(table.costOf('finder', 'dsp')?.latencyUs).toBe(9_000);
    expect(table.costOf('reader', 'npu')?.latencyUs).toBe(2_000);
  });

  it.each([
    ['nothing', '', /costs\.csv:1: there is no table; its first line must be model,core,latency_ms, and may be worst_ms,dram_mb as well/],
    ['no rows', HEAD, /the table has no rows/],
    [
      'a column too few',
      'model,latency_ms\nfinder,1\n',
      /costs\.csv:1: the columns are "model,latency_ms", and must be model,core,latency_ms/,
    ],
    ['a column twice', 'model,core,latency_ms,core\n', /the columns are/],
    [
      'a column that it does not know',
      'model,core,latency_ms,__proto__\nfinder,npu,1,2\n',
      /the columns are "model,core,latency_ms,__proto__"/,
    ],
    ['a row with a cell too many', `${HEAD}finder,npu,1,,,7\nreader,npu,1,,\n`, /costs\.csv:2: has 6 cells/],
    [
      'a model that nobody knows',
      `${HEAD}findr,npu,1,,\n`,
      /:2: model is "findr", and must be one of finder, reader, spare; did you mean "finder"\?/,
    ],
    ['a kind that the chip has not', `${HEAD}finder,gpu,1,,\n`, /:2: core is "gpu", and must be one of npu, dsp, \*/],
    ['a model that is used and missing', `${HEAD}finder,npu,1,,\n`, /model "reader" has no row, and a pipeline runs it/],
    ['a row twice', `${HEAD}finder,npu,1,,\nreader,npu,1,,\nfinder,npu,2,,\n`, /:4: "finder" on "npu" stands on line 2 already/],
    ['no time', `${HEAD}finder,npu,,,\n`, /:2: latency_ms is ""/],
    ['a time of nothing', `${HEAD}finder,npu,0,,\n`, /latency_ms is "0", and must be a number over 0/],
    ['a negative time', `${HEAD}finder,npu,-1,,\n`, /latency_ms is "-1"/],
    ['a time that is not a number', `${HEAD}finder,npu,NaN,,\n`, /latency_ms is "NaN"/],
    ['an endless time', `${HEAD}finder,npu,Infinity,,\nreader,npu,1e999,,\n`, /"Infinity".*\n.*"1e999"/],
    ['a hexadecimal time', `${HEAD}finder,npu,0x10,,\n`, /"0x10"/],
    ['a time in the wrong unit', `${HEAD}finder,npu,1e9,,\n`, /up to 3600000/],
    ['a worst time below the usual one', `${HEAD}finder,npu,5,4,\n`, /worst_ms is "4", and must be empty or a number from latency_ms, 5/],
    ['bytes below nothing', `${HEAD}finder,npu,5,,-2\n`, /dram_mb is "-2"/],
    ['bytes that are no number', `${HEAD}finder,npu,5,,many\n`, /dram_mb is "many"/],
    ['a name that would steer a terminal', `${HEAD}\u001b[2J,npu,5,,\n`, /model is "\\u001b\[2J"/],
  ])('refuses %s, with its line', (_, content, expected) => {
    expect(refusals(content)).toMatch(expected);
  });

  it('names every line that is wrong, up to a bound', () => {
    const lines = refusals(`${HEAD}${'x,y,z,,\n'.repeat(500)}`).split('\n');
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toMatch(/^\.\.\. and \d+ more$/);
  });

  it('refuses bytes that are no text, and a file that is longer than any table', () => {
    expect(refusals(Uint8Array.of(0xff, 0xfe, 0x00))).toContain('not UTF-8');
    expect(() => read(new Uint8Array(2 ** 20 + 1))).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  });
});
