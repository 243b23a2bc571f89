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
        ...{ assumed: [], work: { kind: 'decode', model: 'Qwen2 0.5B', quantisation: 'w8a8', batch: 1, contextTokens: 160 } },
      },
      {
        ...{ file: 't.csv', line: 3, variant: 'prompt', mode: '', part: 'RK3588', model: 'Qwen2 0.5B', unit: 'ms', measured: 145.9 },
        ...{ assumed: [], work: { kind: 'prefill', model: 'Qwen2 0.5B', quantisation: 'w8a8', batch: 1, promptTokens: 128 } },
      },
    ]);
  });

  it.each([
    [
      'of a device by context',
      'device,model,quant,context,prefill_tok_s,decode_tok_s\nStrix,X-3B,Q4,4k,1467,39',
      { unit: 'tokens/s', measured: 1467, variant: 'prompt 4k', work: { kind: 'prefill', batch: 1, promptTokens: 4096 } },
    ],
    [
      'of a batch, whose prompt tokens are those of all',
      'release,model,quant,batch,prefill_ms,prefill_tokens,prefill_tok_s,gen_tok_s\n0.4,X-3B,NVFP4,8,31,3200,9,400',
      { unit: 'ms', measured: 31, variant: 'prompt, batch 8', work: { kind: 'prefill', batch: 8, promptTokens: 400 } },
    ],
    [
      'of a device by mode, which does not tell how long they are',
      'device,model,quant,runtime,mode,prefill_tok_s,decode_tok_s\nOrin Nano 8GB,X-3B,INT4,MLC,15W,500,27.7',
      { unit: 'tokens/s', measured: 500, mode: '15W', work: { kind: 'prefill', promptTokens: undefined } },
    ],
  ])('%s has its prompts as a measurement of their own', (_, text, expected) => {
    const rows = requireMeasurements('t.csv', `${text}\n`);
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatchObject(expected);
  });

  it('without a time for prompts has none', () => {
    expect(requireMeasurements('t.csv', `${RKLLM}\nRK3588,Qwen2 0.5B,w8a8,128,64,,3,\n`).map(({ work }) => work.kind)).toEqual(['decode']);
  });

  const row = (shape: string, dtype = 'INT8', platform = 'RK3588_single_core'): string =>
    `${RKNN}\ny,net,"${shape}",${dtype},${platform},fps,\n`;
  const HUB = 'model,precision,input_resolution,params,device,latency_ms';

  it.each([
    ['without an input', row(''), { unreadInput: 'input_shape is empty' }, []],
    ['with an input of garbage', row('garbage'), { unreadInput: 'input_shape is "garbage"' }, []],
    ['with an input of too few numbers', row('[3, 224]'), { unreadInput: 'input_shape is "[3, 224]"' }, []],
    ['with a batch that is open', row('[N, 3, 224, 224]'), { unreadInput: 'input_shape is "[N, 3, 224, 224]"' }, []],
    [
      'of pictures with the channels last',
      row('[1, 480, 640, 3]'),
      { input: { height: 480, width: 640, channels: 3 } },
      ['read as batch, height'],
    ],
    ['of an unknown type', row('[1, 3, 8, 8]', 'INT3'), { type: 'int8' }, ['dtype is "INT3": int8 assumed']],
    ['without a type', row('[1, 3, 8, 8]', ''), { type: 'int8' }, ['dtype is empty: int8 assumed']],
    ['of two types at once', row('[1, 3, 8, 8]', 'fp16 int8'), { type: 'fp16' }, ['dtype is "fp16 int8": fp16 assumed']],
    ['without a word of cores', row('[1, 3, 8, 8]', 'INT8', 'RK3588'), { cores: 1 }, ['platform is "RK3588": one core assumed']],
    ['of an unreadable resolution', `${HUB}\nnet,w8a8,xyz,5M,S24,\n`, { unreadInput: 'input_resolution is "xyz"' }, []],
    [
      'of a resolution in four numbers',
      `${HUB}\nnet,w8a8,1x3x48x64,5M,S24,\n`,
      { input: { height: 48, width: 64, channels: 3 } },
      ['read as batch'],
    ],
    ['of an unknown precision', `${HUB}\nnet,w9a9,8x8,5M,S24,\n`, { type: 'int8' }, ['precision is "w9a9": int8 assumed']],
    ['of parameters in words', `${HUB}\nnet,w8a8,8x8,many,S24,\n`, { type: 'int8' }, ['params is "many": those of the list']],
    [
      'of two inputs',
      'device,task,network,input_hwc,params_m,ops_g,gmac,fps_b1,fps_b8\nHailo-8,c,net,"368x1232x3, 368x1232x3",25.5,7,3.5,,\n',
      { input: { height: 368, width: 1232, channels: 3 } },
      ['the first of 2 pictures'],
    ],
  ])('%s is read, and says what was assumed', (_, text, work, assumed) => {
    const [read] = requireMeasurements('t.csv', text);
    expect(read?.work).toMatchObject(work);
    expect(read?.assumed).toHaveLength(assumed.length);
    for (const [index, words] of assumed.entries()) expect(read?.assumed[index]).toContain(words);
  });

  it.each([
    ['[64, 3, 224, 224]', 'RK3588_single_core', { batch: 64, cores: 1 }],
    ['[1, 3, 224, 224]', 'RK3588_3_cores', { batch: 1, cores: 3 }],
    ['[2, 3, 224, 224]', 'RK3588_dual_core', { batch: 2, cores: 2 }],
    ['[1, 3, 224, 224]', 'RK3588 core_0_1_2', { batch: 1, cores: 3 }],
    ['[1, 3, 224, 224]', 'RK3588 core0', { batch: 1, cores: 1 }],
  ])('with the input %s on %s counts its batch and its cores', (shape, platform, work) => {
    const [read] = requireMeasurements('t.csv', row(shape, 'INT8', platform));
    expect(read).toMatchObject({ assumed: [], work });
  });

  it.each([
    ['INT8', 'int8'],
    ['int16', 'int16'],
    ['w8a16', 'int16'],
    ['w4a16', 'int16'],
    ['w4a8', 'int8'],
    ['w4a4', 'int4'],
    ['u8', 'int8'],
    ['FP16', 'fp16'],
    ['bf16', 'fp16'],
    ['float', 'fp32'],
  ])('of %s is multiplied in %s, without a word', (dtype, type) => {
    expect(requireMeasurements('t.csv', row('[1, 3, 8, 8]', dtype))[0]).toMatchObject({ assumed: [], work: { type } });
  });

  it.each([
    ['Q4', []],
    ['q4_k_m', []],
    ['W8A8_g256', []],
    ['INT4', []],
    ['Q9_Z', ['quant is "Q9_Z": a format that is not known, taken at the width that its number tells']],
    ['w9a9', ['quant is "w9a9": a format that is not known, taken at the width that its number tells']],
  ])('of the quantisation %s says whether it is known', (quant, assumed) => {
    const [read] = requireMeasurements('t.csv', `${RKLLM}\nRK3588,m 1B,${quant},128,64,,3,\n`);
    expect(read?.assumed).toEqual(assumed);
  });

  it('without tokens of prompt and answer, or on cores that a language model does not keep to, says so', () => {
    const [read] = requireMeasurements('t.csv', `${RKLLM}\nRK3588_single_core,m 1B,w8a8,,,,3,\n`);
    expect(read?.assumed).toEqual([
      'prompt_tokens is empty: 128 assumed',
      'new_tokens is empty: 64 assumed',
      'platform is "RK3588_single_core": a language model is divided over all cores of the chip; that assumed',
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
    ['with a side of zero', row('[1,3,0,224]'), 't.csv:2: input_shape is "[1,3,0,224]", and must be empty or a picture: whole numbers'],
    ['with a negative side', row('[1,3,-224,224]'), 't.csv:2: input_shape is "[1,3,-224,224]"'],
    ['with half a pixel', row('[1,3,224.5,224]'), 't.csv:2: input_shape is "[1,3,224.5,224]"'],
    ['with a side of NaN', row('[1,3,NaN,224]'), 't.csv:2: input_shape is "[1,3,NaN,224]"'],
    ['with a picture beyond everything', row('[1,3,99999999,99999999]'), 't.csv:2: input_shape is "[1,3,99999999,99999999]"'],
    ['with more pixels than there are', row('[1,3,65536,65536]'), 'up to 268435456 pixels'],
    ['with a resolution of zero', `${HUB}\nnet,w8a8,0x0,5M,S24,\n`, 't.csv:2: input_resolution is "0x0"'],
    ['with parameters below zero', `${HUB}\nnet,w8a8,8x8,-5M,S24,\n`, 't.csv:2: params is "-5M", and must be parameters over 0'],
    ['with parameters beyond everything', `${HUB}\nnet,w8a8,8x8,9999999999M,S24,\n`, 't.csv:2: params is "9999999999M"'],
    ['on no cores', row('[1,3,8,8]', 'INT8', 'RK3588_0_cores'), 't.csv:2: platform is "RK3588_0_cores", and a platform has a whole number'],
    ['on fewer cores than none', row('[1,3,8,8]', 'INT8', 'RK3588_-3_cores'), 't.csv:2: platform is "RK3588_-3_cores"'],
    ['on cores beyond everything', row('[1,3,8,8]', 'INT8', 'RK3588_99999_cores'), 't.csv:2: platform is "RK3588_99999_cores"'],
    [
      'with groups of no weight',
      `${RKLLM}\nRK3588,m 1B,w8a8_g00,128,64,,3,\n`,
      't.csv:2: quant is "w8a8_g00", and a group has at least one',
    ],
    ['with a context of nothing', 'device,model,quant,context,decode_tok_s\nS,m 1B,Q4,0k,3\n', 't.csv:2: context is "0k"'],
    [
      'with a context beyond everything',
      'device,model,quant,context,decode_tok_s\nS,m 1B,Q4,9999999k,3\n',
      't.csv:2: context is "9999999k"',
    ],
    [
      'with a mode of no bandwidth',
      'device,model,quant,mode,decode_tok_s\nS,m 1B,Q4,15W 0 GB/s,3\n',
      't.csv:2: mode is "15W 0 GB/s", and watts and GB/s must be over 0',
    ],
    ['with a mode below zero', 'device,model,quant,mode,decode_tok_s\nS,m 1B,Q4,-15W,3\n', 't.csv:2: mode is "-15W"'],
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
