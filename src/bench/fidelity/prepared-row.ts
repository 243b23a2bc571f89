import type { LayerCost } from '../../core/layer-cost.ts';
import { pyramidLayers } from '../../models/network/described-network.ts';
import { type LanguageFacts, languageModelBy, weightBitsOf } from './language-facts.ts';
import { listedLayers, type NetworkLayers } from './listed-layers.ts';
import type { DecodeWork, Measurement, NetworkWork, PrefillWork } from './measurement.ts';
import { type KnownNetwork, type NetworkFacts, networkBy } from './network-facts.ts';

/** What a row is counted as: the aims are for decoding and for convolutional networks, prompts are fitted by themselves where there are enough, and nothing is fitted to attention. */
export const ROW_KINDS = ['decode', 'prefill', 'convolutional', 'attention'] as const;
export type RowKind = (typeof ROW_KINDS)[number];

/** A row whose layers are known: what is left is the chip. */
export interface PreparedRow {
  readonly measurement: Measurement;
  readonly kind: RowKind;
  readonly layers: readonly LayerCost[];
  /** Frames or tokens that one run of the layers brings. */
  readonly perRun: number;
  /** Cores that each run frames of their own. */
  readonly cores: number;
  readonly isWholeChip: boolean;
  /** Where the layers are from, as a clause. */
  readonly told: string;
  /** Only the name told the size. */
  readonly isBySize: boolean;
  /** What was assumed where the row does not tell, as clauses. */
  readonly assumed: readonly string[];
  /** What weights, caches and the activations of the widest layer occupy. */
  readonly neededBytes: number;
}

/** A row that cannot be predicted, and why, as a clause. */
export interface UnknownRow {
  readonly measurement: Measurement;
  readonly why: string;
}

export interface Facts {
  readonly languageModels: LanguageFacts;
  readonly networks: NetworkFacts;
  readonly networkLayers: NetworkLayers;
}

/** Of a conversation that has just begun: benchmarks that do not say how long their prompts are use short ones. */
const CONTEXT_TOKENS = 128;

export function prepareRow(measurement: Measurement, facts: Facts): PreparedRow | UnknownRow {
  const { work } = measurement;
  if (work.kind === 'none') return { measurement, why: work.why };
  return work.kind === 'network' ? networkRow(measurement, work, facts) : languageRow(measurement, work, facts);
}

function networkRow(measurement: Measurement, work: NetworkWork, facts: Facts): PreparedRow | UnknownRow {
  const network = networkBy(facts.networks, work);
  if (network === undefined) return { measurement, why: `neither the row nor the list of networks knows the size of ${work.model}` };
  const { layers: ofOne, told } = layersOf(network, work, facts.networkLayers);
  const layers = ofOne.map((layer) => batched(layer, work.batch));
  const { height, width } = network.size;
  const { unreadInput } = work;
  const assumed = [unreadInput === undefined ? undefined : `${unreadInput}: ${height}x${width} assumed`, network.uncounted];
  const widestBytes = layers.reduce((most, { inputBytes, outputBytes }) => Math.max(most, inputBytes + outputBytes), 0);
  const isMany = work.batch > 1 && !/^batch /.test(measurement.variant);
  return {
    ...{ measurement, layers, isBySize: false, cores: work.cores, isWholeChip: work.isWholeChip === true, perRun: work.batch },
    kind: network.style === 'attention' ? 'attention' : 'convolutional',
    told: [
      told,
      ...(isMany ? [`${work.batch} frames at a time`] : []),
      ...(work.cores > 1 ? [`${work.cores} cores, each with frames of its own`] : []),
    ].join(', '),
    assumed: [...measurement.assumed, ...assumed.filter((clause) => clause !== undefined)],
    neededBytes: layers.reduce((sum, { weightBytes }) => sum + weightBytes, 0) + work.cores * widestBytes,
  };
}

function languageRow(measurement: Measurement, work: DecodeWork | PrefillWork, facts: Facts): PreparedRow | UnknownRow {
  const bits = weightBitsOf(work.quantisation);
  if (bits === undefined)
    return { measurement, why: `the quantisation ${JSON.stringify(work.quantisation)} does not tell how many bits a weight has` };
  const model = languageModelBy(facts.languageModels, work.model, bits);
  if (model === undefined) return { measurement, why: `${work.model} is not in the list of language models, and its name tells no size` };
  const isPrefill = work.kind === 'prefill';
  const known = isPrefill ? work.promptTokens : work.contextTokens;
  const tokens = known ?? CONTEXT_TOKENS;
  const where = `${tokens} tokens of ${isPrefill ? 'prompt' : 'context'}${known === undefined ? ' assumed' : ''}`;
  return {
    ...{ measurement, kind: work.kind, cores: 1, isWholeChip: false, isBySize: model.isBySize, assumed: measurement.assumed },
    perRun: isPrefill ? work.batch * tokens : work.batch,
    layers: isPrefill
      ? model.prefillLayers(tokens, 0).map((layer) => batched(layer, work.batch))
      : model.decodeLayers(work.batch, Math.max(0, tokens - 1)),
    told: `${model.told} at ${Number(bits.toPrecision(4))} bits, ${where}`,
    neededBytes: model.weightBytes + work.batch * tokens * model.kvBytesPerToken,
  };
}

/** One by one where they are listed, else as a pyramid of the network's size. */
function layersOf(network: KnownNetwork, { type }: NetworkWork, lists: NetworkLayers): { layers: readonly LayerCost[]; told: string } {
  const { listed, size, pixels, told, where = '' } = network;
  const list = listed === undefined ? undefined : lists.get(listed);
  const found = list === undefined ? undefined : listedLayers(list, { size, pixels, type });
  if (listed === undefined || found === undefined) return { layers: pyramidLayers(size, type), told };
  return {
    layers: found.layers,
    told: found.isRowBelieved
      ? `the layers of ${listed}${where}`
      : `the layers of ${listed}, which the row's parameters fit and its multiply-accumulates do not`,
  };
}

/** `count` frames through one layer: its weights are read once. */
function batched(layer: LayerCost, count: number): LayerCost {
  if (count === 1) return layer;
  const { m, macs, elementOps, inputBytes, outputBytes, curves } = layer;
  const times = {
    m: m * count,
    macs: macs * count,
    elementOps: elementOps * count,
    inputBytes: inputBytes * count,
    outputBytes: outputBytes * count,
  };
  return { ...layer, ...times, ...(curves === undefined ? {} : { curves: curves * count }) };
}
