import { describe, expect, it } from 'vitest';
import { measurementsOf, requireMeasurements } from '../../../../src/bench/fidelity/measured-table.ts';
import { CoxswainError } from '../../../../src/core/errors.ts';

function problemOf(text: string): string {
  try {
    requireMeasurements('t.csv', text);
  } catch (error) {
    if (error instanceof CoxswainError && error.code === 'CONFIG_INVALID') return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const RKNN = 'demo,model,input_shape,dtype,platform,metric,value';
const RKLLM = 'platform,model,quant,prompt_tokens,new_tokens,ttft_ms,decode_tok_s,memory_mb';

describe('a table of measurements', () => {
  it('of language models by platform is read with the context in the middle of the answer', () => {
    const rows = measurementsOf('t.csv', `# a remark\n${RKLLM}\nRK3588,Qwen2 0.5B,w8a8,128,64,145.9,41.58,669\n`);
    expect(rows).toEqual([
      {
        ...{ file: 't.csv', line: 3, variant: '', mode: '', part: 'RK3588', model: 'Qwen2 0.5B', unit: 'tokens/s', measured: 41.58 },
        work: { kind: 'decode', model: 'Qwen2 0.5B', quantisation: 'w8a8', batch: 1, contextTokens: 160 },
      },
    ]);
  });

  it.each([
    [
      'jetson',
      'device,model,quant,runtime,mode,prefill_tok_s,decode_tok_s\nOrin Nano 8GB,X-3B,INT4,MLC,15W 68 GB/s,,27.7',
      { mode: '15W 68 GB/s', measured: 27.7 },
    ],
    ['context', 'device,model,quant,context,prefill_tok_s,decode_tok_s\nStrix,X-3B,Q4,4k,1467,39', { work: { contextTokens: 4096 } }],
    [
      'batch',
      'release,model,quant,batch,prefill_ms,prefill_tokens,prefill_tok_s,gen_tok_s\n0.4,X-3B,NVFP4,8,31,3200,9,400',
      { work: { batch: 8, contextTokens: 464 } },
    ],
    [
      'ai hub',
      'model,component,precision,input_resolution,params,device,latency_ms\nnet,Net,w8a8,513x513,5.80M,SA8295P ADP,6.4',
      { unit: 'ms', work: { type: 'int8', parameters: 5.8e6, input: { height: 513 } } },
    ],
    [
      'rknn',
      `${RKNN}\ny,yolov5s,"[1, 3, 640, 320]",INT8,RK3588_single_core,fps,48.4`,
      { measured: 48.4, work: { input: { height: 640, width: 320, channels: 3 } } },
    ],
    [
      'cores',
      'part,workload,config,cores,latency_ms,fps_total,speedup\nRK3588 NPU,YOLOv5s int8,three at once,3,20,150,2.8',
      { measured: 150, work: { cores: 3, model: 'YOLOv5s' } },
    ],
    [
      'zhouyi',
      'model,precision,macs,weights,latency_ms_mean,latency_ms_min,latency_ms_max,inf_per_s\nMNIST,fp32,322e3,,,,,500',
      { measured: 2, work: { type: 'fp32', macs: 322_000 } },
    ],
    [
      'mlperf',
      'system,benchmark,scenario,samples_per_query,metric,value,unit,mean_ms,version\nAGX Orin,resnet50,MultiStream,8,p99,2.18,ms,2.16,v3',
      { measured: 2.16, work: { batch: 8 } },
    ],
    [
      'mlperf, offline',
      'system,benchmark,scenario,samples_per_query,metric,value,unit,mean_ms,version\nAGX Orin,resnet50,Offline,,throughput,6400,samples/s,,v3',
      { unit: 'frames/s', work: { isWholeChip: true } },
    ],
  ])('of kind %s is known by its columns', (_, text, expected) => {
    expect(requireMeasurements('t.csv', `${text}\n`)[0]).toMatchObject(expected);
  });

  it('of both batches gives two measurements a line, and says which', () => {
    const rows = requireMeasurements(
      't.csv',
      'device,task,network,input_hwc,params_m,ops_g,gmac,fps_b1,fps_b8\nHailo-8,c,net,224x224x3,25.5,7,3.5,100,300\n',
    );
    expect(rows.map(({ variant, measured }) => [variant, measured])).toEqual([
      ['batch 1', 100],
      ['batch 8', 300],
    ]);
  });

  it('may leave the measured figure open', () => {
    expect(requireMeasurements('t.csv', `${RKLLM}\nRK3588,Qwen2 0.5B,w8a8,128,64,,,\n`)[0]?.measured).toBeUndefined();
  });

  it('with figures that are no rate of frames is read, and the row says why it cannot be predicted', () => {
    const [row] = requireMeasurements('t.csv', `${RKNN}\nw,wav2vec2,20s audio,FP16,RK3588_single_core,rtf,0.133\n`);
    expect(row?.work).toEqual({ kind: 'none', why: 'the metric "rtf" is no rate of frames' });
  });

  it('of other columns is none, and told so with those that there are', () => {
    expect(measurementsOf('t.csv', 'a,b\n1,2\n')).toBeUndefined();
    expect(problemOf('a,b\n1,2\n')).toContain(
      'known are, with more columns allowed:\n  decode by platform and prompt: platform,model,quant',
    );
  });

  it.each([
    ['empty', '', 't.csv:1: there is no table'],
    ['of remarks alone', '# a\n', 't.csv:1: there is no table'],
    ['without rows', `${RKLLM}\n`, 'the table has no rows'],
    ['that lacks a column it needs', 'platform,model,quant\nRK3588,m,w8a8\n', 'its columns are those of no table'],
    ['with a column twice', 'model,model\na,b\n', 't.csv:1: the column "model" stands twice'],
    ['with a short row', `${RKLLM}\nRK3588,m\n`, 't.csv:2: has 2 cells, and needs one for each of the 8 columns'],
    ['with NaN', `${RKLLM}\nRK3588,m 1B,w8a8,128,64,,NaN,\n`, 't.csv:2: decode_tok_s is "NaN"'],
    ['with infinity', `${RKLLM}\nRK3588,m 1B,w8a8,128,64,,Infinity,\n`, 't.csv:2: decode_tok_s is "Infinity"'],
    ['with a negative rate', `${RKLLM}\nRK3588,m 1B,w8a8,128,64,,-3,\n`, 't.csv:2: decode_tok_s is "-3"'],
    ['with a rate of zero', `${RKLLM}\nRK3588,m 1B,w8a8,128,64,,0,\n`, 't.csv:2: decode_tok_s is "0"'],
    ['with half a token', `${RKLLM}\nRK3588,m 1B,w8a8,128.5,64,,3,\n`, 't.csv:2: prompt_tokens is "128.5", and must be a whole number'],
    ['with a rate beyond everything', `${RKLLM}\nRK3588,m 1B,w8a8,128,64,,1e99,\n`, 't.csv:2: decode_tok_s is "1e99"'],
    ['without a model', `${RKLLM}\nRK3588,,w8a8,128,64,,3,\n`, 't.csv:2: model is empty'],
    ['with a context of words', 'device,model,quant,context,decode_tok_s\nS,m 1B,Q4,long,3\n', 't.csv:2: context is "long"'],
    ['with an open quote', `${RKNN}\ny,net,"[1, 3,INT8,RK,fps,3\n`, 't.csv:2: a quote is not closed'],
    ['of garbage', '\u0000\u001b[2J,\u0001\n1,2\n', 'its columns are those of no table'],
  ])('%s is refused with its line', (_, text, words) => {
    expect(problemOf(text)).toContain(words);
  });

  it('with quotes within quotes, a mark and Windows line ends is taken', () => {
    const [row] = requireMeasurements('t.csv', `\uFEFF${RKNN}\r\n"y, ""a""",net,"[1, 3, 8, 8]",INT8,RK3588,fps,3\r\n`);
    expect(row).toMatchObject({ model: 'net', measured: 3 });
  });

  it('with more than a hundred thousand rows is refused', () => {
    expect(problemOf(`${RKLLM}\n${'RK3588,m 1B,w8a8,128,64,,3,\n'.repeat(100_001)}`)).toContain('at most 100000 rows');
  });

  it('with a cell of a megabyte is refused', () => {
    expect(problemOf(`${RKLLM}\nRK3588,${'m'.repeat(1e6)},w8a8,128,64,,3,\n`)).toContain('a cell is too long');
  });
});
