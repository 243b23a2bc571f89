import type { NetworkWork, Unit } from './measurement.ts';
import type { RowCells } from './row-cells.ts';
import { BATCH_MAX, CORES_MAX, coresIn, type RowFormat, type RowReading, readingOf } from './row-format.ts';
import { typeOfWord } from './type-word.ts';

const network = (work: Omit<NetworkWork, 'kind' | 'batch' | 'cores'> & Partial<NetworkWork>): NetworkWork => ({
  kind: 'network',
  batch: 1,
  cores: 1,
  ...work,
});
const none = (why: string): RowReading['work'] => ({ kind: 'none', why });

/** The input of a network; where none can be read, the row will say which was assumed. */
function pictureIn(cells: RowCells, column: string, order: 'hwc' | 'nchw'): Partial<Pick<NetworkWork, 'input' | 'batch' | 'unreadInput'>> {
  const picture = cells.picture(column, order);
  return picture === undefined ? { unreadInput: cells.saying(column) } : { input: picture.size, batch: picture.batch };
}

/** A network of a trillion parameters, or of as many multiply-accumulates as a thousand of the largest. */
const GIGAS_MAX = 1e6;

/** Hailo compiles some detectors with a step of their own that neither multiplies nor runs on the chip's array. */
const HOST_PART = /_nms_core$/;

export const hailo: RowFormat = {
  id: 'frames by device and batch',
  columns: ['device', 'network', 'input_hwc', 'params_m', 'gmac', 'fps_b1', 'fps_b8'],
  read: (cells) => {
    const model = cells.name('network');
    const [gmac, paramsM] = [cells.number('gmac', GIGAS_MAX), cells.number('params_m', GIGAS_MAX)];
    const { batch: told = 1, ...input } = pictureIn(cells, 'input_hwc', 'hwc');
    if (told > 1) cells.assume('input_hwc', 'the batches of the columns assumed');
    const size = {
      ...(gmac === undefined ? {} : { macs: gmac * 1e9 }),
      ...(paramsM === undefined ? {} : { parameters: paramsM * 1e6 }),
      ...input,
    };
    const work = HOST_PART.test(model) ? none("its last step runs on the host's processor") : undefined;
    return [1, 8].map((batch) =>
      readingOf(
        { part: cells.name('device'), model, unit: 'frames/s', variant: `batch ${batch}`, measured: cells.number(`fps_b${batch}`) },
        work ?? network({ model, type: 'int8', batch, ...size }),
      ),
    );
  },
};

export const rknn: RowFormat = {
  id: 'frames by platform',
  columns: ['model', 'input_shape', 'dtype', 'platform', 'metric', 'value'],
  read: (cells) => {
    const model = cells.name('model');
    const metric = cells.text('metric');
    const input = pictureIn(cells, 'input_shape', 'nchw');
    const type = cells.type('dtype');
    const cores = coresIn(cells, 'platform');
    if (cores === undefined) cells.assume('platform', 'one core assumed');
    const facts = { part: cells.name('platform'), model, unit: 'frames/s' as const, measured: cells.number('value') };
    if (metric !== 'fps') return [readingOf(facts, none(`the metric ${JSON.stringify(metric)} is no rate of frames`))];
    return [readingOf(facts, network({ model, type, cores: cores ?? 1, ...input }))];
  },
};

const MILLIONS: Readonly<Record<string, number>> = { K: 1e-3, M: 1, G: 1e3, B: 1e3 };

/** `5.80M`; undefined where the table has no such column, and for what tells none, which is said. */
function parametersIn(cells: RowCells, column: string): number | undefined {
  const text = cells.text(column);
  if (text === '') return undefined;
  const [, figure = '', unit = ''] = /^([+-]?[\d.]+)\s*([KMGB])$/i.exec(text) ?? [];
  const millions = Number(figure) * (MILLIONS[unit.toUpperCase()] ?? Number.NaN);
  if (millions > 0 && millions <= GIGAS_MAX) return millions * 1e6;
  if (Number.isNaN(millions)) cells.assume(column, 'those of the list of networks assumed');
  else cells.problems.push(`${cells.saying(column)}, and must be parameters over 0 and up to ${GIGAS_MAX}M, such as 5.80M`);
  return undefined;
}

export const aiHub: RowFormat = {
  id: 'latency by device and precision',
  columns: ['model', 'precision', 'input_resolution', 'device', 'latency_ms'],
  read: (cells) => {
    const model = cells.name('model');
    const parameters = parametersIn(cells, 'params');
    const size = { ...(parameters === undefined ? {} : { parameters }), ...pictureIn(cells, 'input_resolution', 'hwc') };
    const facts = { part: cells.name('device'), model, unit: 'ms' as const, measured: cells.number('latency_ms') };
    return [readingOf(facts, network({ model, type: cells.type('precision'), ...size }))];
  },
};

/** Frames at once where a benchmark leaves it open: enough that more bring nothing. */
const OFFLINE_BATCH = 64;
/** In MLPerf's Offline scenario NVIDIA gives frames of these to the DLAs as well, by the notes of its submissions. */
const WITH_DLA = new Set(['resnet50', 'retinanet']);

export const mlperf: RowFormat = {
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
    if (unit === 'ms') return [readingOf({ ...facts, unit, measured: cells.number('mean_ms') ?? value }, network(work))];
    if (unit === 'samples/s') return [readingOf({ ...facts, unit: 'frames/s', measured: value }, network(work))];
    return [readingOf({ ...facts, unit: 'frames/s', measured: value }, none(`${JSON.stringify(unit)} is neither ms nor samples/s`))];
  },
};

/** The table is of one chip alone; figures are written as 322e3. */
export const zhouyi: RowFormat = {
  id: 'latency by precision and size',
  columns: ['model', 'precision', 'macs', 'weights', 'latency_ms_mean', 'inf_per_s'],
  read: (cells) => {
    const model = cells.name('model');
    const [macs, parameters, latency, rate] = ['macs', 'weights', 'latency_ms_mean', 'inf_per_s'].map((column) => cells.number(column));
    const size = { ...(macs === undefined ? {} : { macs }), ...(parameters === undefined ? {} : { parameters }) };
    const measured = latency === undefined && rate !== undefined ? 1000 / rate : latency;
    return [
      readingOf(
        { part: 'CIX P1', model, unit: 'ms', variant: cells.text('precision'), measured },
        network({ model, type: cells.type('precision'), ...size }),
      ),
    ];
  },
};

export const scaling: RowFormat = {
  id: 'frames by cores',
  columns: ['part', 'workload', 'config', 'cores', 'latency_ms', 'fps_total', 'speedup'],
  read: (cells) => {
    const workload = cells.name('workload');
    const [latency, rate] = [cells.number('latency_ms'), cells.number('fps_total')];
    const [model = '', ...precision] = workload.split(/\s+/);
    const unit: Unit = rate === undefined ? 'ms' : 'frames/s';
    const facts = { part: cells.name('part'), model: workload, unit, variant: cells.text('config'), measured: rate ?? latency };
    if (latency === undefined && rate === undefined) return [readingOf(facts, none('it names no network and no rate'))];
    const { type, isSure } = typeOfWord(precision.join(' '));
    if (!isSure) cells.assume('workload', `${type} assumed`);
    return [readingOf(facts, network({ model, type, cores: cells.count('cores', 1, CORES_MAX) }))];
  },
};
