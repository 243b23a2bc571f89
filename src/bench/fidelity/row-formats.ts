import type { DecodeWork, Measurement, NetworkWork, Unit } from './measurement.ts';
import { networkType, type RowCells, tokensOf } from './row-cells.ts';

/** What one line says; where it stands is added by its reader. */
export type RowReading = Omit<Measurement, 'file' | 'line'>;

/** One kind of table, known by its columns. */
export interface RowFormat {
  readonly id: string;
  /** A table is of this format when it has all of them; it may have more. */
  readonly columns: readonly string[];
  readonly read: (cells: RowCells) => readonly RowReading[];
}

const row = (
  facts: Pick<RowReading, 'part' | 'model' | 'unit' | 'measured'> & Partial<Pick<RowReading, 'variant' | 'mode'>>,
  work: RowReading['work'],
): RowReading => ({ variant: '', mode: '', ...facts, work });

const decode = (work: Omit<DecodeWork, 'kind'>): DecodeWork => ({ kind: 'decode', ...work });
const network = (work: Omit<NetworkWork, 'kind' | 'batch' | 'cores'> & Partial<NetworkWork>): NetworkWork => ({
  kind: 'network',
  batch: 1,
  cores: 1,
  ...work,
});
const none = (why: string): RowReading['work'] => ({ kind: 'none', why });

/** rknn-llm: so many prompt tokens, then new ones. */
const rkllm: RowFormat = {
  id: 'decode by platform and prompt',
  columns: ['platform', 'model', 'quant', 'prompt_tokens', 'new_tokens', 'decode_tok_s'],
  read: (cells) => {
    const model = cells.name('model');
    const contextTokens = cells.count('prompt_tokens', 128) + Math.round(cells.count('new_tokens', 64) / 2);
    const facts = { part: cells.name('platform'), model, unit: 'tokens/s' as const, measured: cells.number('decode_tok_s') };
    return [row(facts, decode({ model, quantisation: cells.text('quant'), batch: 1, contextTokens }))];
  },
};

const jetson: RowFormat = {
  id: 'decode by device and mode',
  columns: ['device', 'model', 'quant', 'mode', 'decode_tok_s'],
  read: (cells) => {
    const model = cells.name('model');
    const facts = {
      part: cells.name('device'),
      model,
      unit: 'tokens/s' as const,
      mode: cells.text('mode'),
      measured: cells.number('decode_tok_s'),
    };
    return [row(facts, decode({ model, quantisation: cells.text('quant'), batch: 1, contextTokens: undefined }))];
  },
};

const byContext: RowFormat = {
  id: 'decode by device and context',
  columns: ['device', 'model', 'quant', 'context', 'decode_tok_s'],
  read: (cells) => {
    const model = cells.name('model');
    const contextTokens = tokensOf(cells.text('context'));
    if (contextTokens === undefined)
      cells.problems.push(`context is ${JSON.stringify(cells.text('context'))}, and must be tokens, such as 4096 or 4k`);
    const facts = { part: cells.name('device'), model, unit: 'tokens/s' as const, variant: `context ${cells.text('context')}` };
    return [
      row(
        { ...facts, measured: cells.number('decode_tok_s') },
        decode({ model, quantisation: cells.text('quant'), batch: 1, contextTokens }),
      ),
    ];
  },
};

/** Answers of TensorRT Edge-LLM's pages are this long; the middle of one is half as far behind its prompt. */
const ANSWER_TOKENS = 128;

/** The table is of one chip alone; prompt tokens and rate are those of the whole batch. */
const edgeLlm: RowFormat = {
  id: 'decode by release and batch',
  columns: ['release', 'model', 'quant', 'batch', 'prefill_tokens', 'gen_tok_s'],
  read: (cells) => {
    const model = cells.name('model');
    const batch = cells.count('batch', 1, BATCH_MAX);
    const prompt = cells.number('prefill_tokens');
    const contextTokens = prompt === undefined ? undefined : Math.round(prompt / batch + ANSWER_TOKENS / 2);
    const facts = { part: 'Jetson AGX Thor', model, unit: 'tokens/s' as const, variant: batch === 1 ? '' : `batch ${batch}` };
    return [
      row({ ...facts, measured: cells.number('gen_tok_s') }, decode({ model, quantisation: cells.text('quant'), batch, contextTokens })),
    ];
  },
};

const BATCH_MAX = 65_536;

/** Hailo compiles some detectors with a step of their own that neither multiplies nor runs on the chip's array. */
const HOST_PART = /_nms_core$/;

const hailo: RowFormat = {
  id: 'frames by device and batch',
  columns: ['device', 'network', 'input_hwc', 'params_m', 'gmac', 'fps_b1', 'fps_b8'],
  read: (cells) => {
    const model = cells.name('network');
    const [gmac, paramsM, input] = [cells.number('gmac'), cells.number('params_m'), cells.picture('input_hwc', 'hwc')];
    const size = {
      ...(gmac === undefined ? {} : { macs: gmac * 1e9 }),
      ...(paramsM === undefined ? {} : { parameters: paramsM * 1e6 }),
      ...(input === undefined ? {} : { input }),
    };
    const work = HOST_PART.test(model) ? none("its last step runs on the host's processor") : undefined;
    return [1, 8].map((batch) =>
      row(
        { part: cells.name('device'), model, unit: 'frames/s', variant: `batch ${batch}`, measured: cells.number(`fps_b${batch}`) },
        work ?? network({ model, type: 'int8', batch, ...size }),
      ),
    );
  },
};

const rknn: RowFormat = {
  id: 'frames by platform',
  columns: ['model', 'input_shape', 'dtype', 'platform', 'metric', 'value'],
  read: (cells) => {
    const model = cells.name('model');
    const metric = cells.text('metric');
    const input = cells.picture('input_shape', 'nchw');
    const facts = { part: cells.name('platform'), model, unit: 'frames/s' as const, measured: cells.number('value') };
    if (metric !== 'fps') return [row(facts, none(`the metric ${JSON.stringify(metric)} is no rate of frames`))];
    return [row(facts, network({ model, type: networkType(cells.text('dtype')), ...(input === undefined ? {} : { input }) }))];
  },
};

const aiHub: RowFormat = {
  id: 'latency by device and precision',
  columns: ['model', 'precision', 'input_resolution', 'device', 'latency_ms'],
  read: (cells) => {
    const model = cells.name('model');
    const input = cells.picture('input_resolution', 'hwc');
    const parameters = /^([\d.]+)\s*M$/.exec(cells.text('params'))?.[1];
    const size = {
      ...(parameters === undefined || !(Number(parameters) > 0) ? {} : { parameters: Number(parameters) * 1e6 }),
      ...(input === undefined ? {} : { input }),
    };
    const facts = { part: cells.name('device'), model, unit: 'ms' as const, measured: cells.number('latency_ms') };
    return [row(facts, network({ model, type: networkType(cells.text('precision')), ...size }))];
  },
};

/** Frames at once where a benchmark leaves it open: enough that more bring nothing. */
const OFFLINE_BATCH = 64;
/** In MLPerf's Offline scenario NVIDIA gives frames of these to the DLAs as well, by the notes of its submissions. */
const WITH_DLA = new Set(['resnet50', 'retinanet']);

const mlperf: RowFormat = {
  id: 'MLPerf',
  columns: ['system', 'benchmark', 'scenario', 'samples_per_query', 'metric', 'value', 'unit', 'mean_ms'],
  read: (cells) => {
    const model = cells.name('benchmark');
    const scenario = cells.text('scenario');
    const unit = cells.text('unit');
    const part = cells.name('system');
    const value = cells.number('value');
    const batch = cells.count('samples_per_query', scenario === 'Offline' ? OFFLINE_BATCH : 1, BATCH_MAX);
    const facts = { part, model, variant: scenario };
    const work = {
      model,
      type: 'int8' as const,
      batch,
      ...(scenario === 'Offline' && WITH_DLA.has(model) ? { isWholeChip: true as const } : {}),
    };
    // A latency is at a percentile; the mean is what a model can be held to.
    if (unit === 'ms') return [row({ ...facts, unit, measured: cells.number('mean_ms') ?? value }, network(work))];
    if (unit === 'samples/s') return [row({ ...facts, unit: 'frames/s', measured: value }, network(work))];
    return [row({ ...facts, unit: 'frames/s', measured: value }, none(`${JSON.stringify(unit)} is neither ms nor samples/s`))];
  },
};

/** The table is of one chip alone; figures are written as 322e3. */
const zhouyi: RowFormat = {
  id: 'latency by precision and size',
  columns: ['model', 'precision', 'macs', 'weights', 'latency_ms_mean', 'inf_per_s'],
  read: (cells) => {
    const model = cells.name('model');
    const [macs, parameters, latency, rate] = ['macs', 'weights', 'latency_ms_mean', 'inf_per_s'].map((column) => cells.number(column));
    const precision = cells.text('precision');
    const size = { ...(macs === undefined ? {} : { macs }), ...(parameters === undefined ? {} : { parameters }) };
    const measured = latency === undefined && rate !== undefined ? 1000 / rate : latency;
    return [
      row({ part: 'CIX P1', model, unit: 'ms', variant: precision, measured }, network({ model, type: networkType(precision), ...size })),
    ];
  },
};

const CORES_MAX = 4_096;

const scaling: RowFormat = {
  id: 'frames by cores',
  columns: ['part', 'workload', 'config', 'cores', 'latency_ms', 'fps_total', 'speedup'],
  read: (cells) => {
    const workload = cells.name('workload');
    const [latency, rate] = [cells.number('latency_ms'), cells.number('fps_total')];
    const [model = '', precision = 'int8'] = workload.split(/\s+/);
    const unit: Unit = rate === undefined ? 'ms' : 'frames/s';
    const facts = { part: cells.name('part'), model: workload, unit, variant: cells.text('config'), measured: rate ?? latency };
    if (latency === undefined && rate === undefined) return [row(facts, none('it names no network and no rate'))];
    return [row(facts, network({ model, type: networkType(precision), cores: cells.count('cores', 1, CORES_MAX) }))];
  },
};

/** Looked through in this order. */
export const ROW_FORMATS: readonly RowFormat[] = [rkllm, byContext, jetson, edgeLlm, hailo, rknn, aiHub, mlperf, zhouyi, scaling];
