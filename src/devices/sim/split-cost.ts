import { assert } from '../../core/assert.ts';
import { type LayerCost, NUMBER_TYPE_BYTES } from '../../core/layer-cost.ts';
import { type SocProfile, usableBytesPerSecond } from '../../core/soc-profile.ts';
import {
  activationRoom,
  activationTraffic,
  beginUs,
  doLayersStay,
  elementOpsOn,
  energyMacsOf,
  extentOf,
  type ModelExtent,
  type Multiplication,
  multiplicationUs,
  rateOf,
  rooflineOf,
  type SegmentCost,
  slowed,
  speedRatioOf,
} from './segment-cost.ts';

/** A segment on several cores at once. */
export interface Split {
  /** Cores. */
  readonly ways: number;
  /** Clusters that they lie in; only cores of one cluster share local memory. */
  readonly clusters: number;
}

/** How a layer's work is divided; the output lies divided in the same way. */
const WAYS = ['rows', 'columns', 'groups'] as const;
type Way = (typeof WAYS)[number];
const UNGROUPED: readonly Way[] = ['rows', 'columns'];

interface Option {
  readonly computeUs: number;
  readonly bytes: number;
  readonly multiplyUs: number;
}

interface Node {
  readonly way: Way;
  readonly option: Option;
  /** Of this layer and all before it, with the bus to itself, and without any wait for it. */
  readonly us: number;
  readonly computeUs: number;
  readonly before: Node | undefined;
}

type Chip = Pick<SocProfile, 'core' | 'coresPerCluster' | 'localMemoryBytes' | 'doWeightsStay' | 'stayLayersMax' | 'dram'>;

/**
 * Cost of running these layers on several cores of this profile together. Of every layer each core computes 1/n: of the rows (output pixels, tokens: MoDNN, Mao et
 * al., DATE 2017), of the columns (output channels: Krizhevsky 2014, Shoeybi et al. 2019), or of the groups (depthwise channels, attention heads), whichever makes the
 * row of layers fastest, found by dynamic programming over the layers, taken as a row without branches. Sizes that do not divide waste what is left over, on
 * top of what the array wastes.
 *
 * At a border every core fetches what it lacks of the next layer's input, which is then divided otherwise, and waits for the others: for columns all of
 * it, for rows after rows the rows at the seams (a square picture is assumed), for rows after columns and the like its part of what the others have. In a cluster this
 * comes out of the shared local memory, as fast as that feeds an array; between clusters it is written to DRAM once and read by every other
 * cluster. Weights are read once a job, broadcast to whoever needs them; activations spill where they do not fit the cores' local memory together.
 */
export function compileSplit(
  layers: readonly LayerCost[],
  profile: Chip,
  split: Split,
  model: ModelExtent = extentOf(layers),
): SegmentCost {
  const { core } = profile;
  const splitter = new Splitter(profile, split, model);
  const path = fastestPath(layers, splitter, usableBytesPerSecond(profile) / 1e6);
  const multiplyUs = path.reduce((sum, option) => sum + option.multiplyUs, 0);
  const busyUs = layers.reduce((sum, { macs, type }) => sum + (macs === 0 ? 0 : (macs * 2e6) / rateOf(type, core)), 0);
  const speedRatio = speedRatioOf(layers, core);
  const all = [{ computeUs: beginUs(layers, core, splitter.doWeightsStay), bytes: 0 }, ...path];
  return rooflineOf(slowed(all, speedRatio, profile), {
    macs: layers.reduce((sum, { macs }) => sum + macs, 0),
    energyMacs: layers.reduce((sum, layer) => sum + energyMacsOf(layer), 0),
    weightBytes: model.weightBytes,
    utilisationRatio: multiplyUs === 0 ? 0 : (busyUs / split.ways / multiplyUs) * speedRatio,
  });
}

function fastestPath(layers: readonly LayerCost[], splitter: Splitter, bytesPerUs: number): readonly Option[] {
  let ends: readonly Node[] = [];
  for (const [index, layer] of layers.entries()) {
    const isLast = index === layers.length - 1;
    const befores = ends.length === 0 ? [undefined] : ends;
    ends = waysOf(layer, ends).map((way) => {
      const multiplyUs = splitter.multiplyUs(layer, way);
      let best: Node | undefined;
      for (const before of befores) {
        if (before !== undefined && layer.macs === 0 && before.way !== way) continue;
        const option = splitter.option(layer, { way, multiplyUs }, before?.way, isLast);
        const us = (before?.us ?? 0) + Math.max(option.computeUs, option.bytes / bytesPerUs);
        const node = { way, option, us, computeUs: (before?.computeUs ?? 0) + option.computeUs, before };
        if (best === undefined || isFaster(node, best)) best = node;
      }
      assert(best !== undefined, 'a layer can follow any other');
      return best;
    });
  }
  let node = ends.reduce<Node | undefined>((best, end) => (best === undefined || isFaster(end, best) ? end : best), undefined);
  const path: Option[] = [];
  for (; node !== undefined; node = node.before) path.unshift(node.option);
  return path;
}

const isFaster = (a: Node, b: Node): boolean => a.us < b.us || (a.us === b.us && a.computeUs < b.computeUs);

class Splitter {
  readonly #chip: Chip;
  readonly #split: Split;
  readonly doWeightsStay: boolean;
  readonly #activationBytes: number;
  /** Of the local memory to one core, in bytes per microsecond: rows of operands for a whole array in every cycle. */
  readonly #localBytesPerUs: number;

  constructor(chip: Chip, split: Split, model: ModelExtent) {
    this.#chip = chip;
    this.#split = split;
    const localBytes = (chip.localMemoryBytes / chip.coresPerCluster) * split.ways;
    this.doWeightsStay = doLayersStay(model, chip, localBytes);
    this.#activationBytes = activationRoom(chip, localBytes);
    const cyclesPerUs = rateOf('int8', chip.core) / (2e6 * chip.core.array.m * chip.core.array.n * chip.core.array.k);
    this.#localBytesPerUs = cyclesPerUs * chip.core.array.m * chip.core.array.k;
  }

  /** Of one core's part, whatever comes before. */
  multiplyUs(layer: LayerCost, way: Way): number {
    return multiplicationUs(this.#partOf(layer, way), this.#chip.core);
  }

  option(
    layer: LayerCost,
    { way, multiplyUs }: { readonly way: Way; readonly multiplyUs: number },
    before: Way | undefined,
    isLast: boolean,
  ): Option {
    const { core } = this.#chip;
    const { ways } = this.#split;
    const vectorUs = (elementOpsOn(layer, core) / ways / core.vectorOpsPerSecond) * 1e6;
    const lacking = before === undefined || layer.macs === 0 ? 0 : this.#lacking(layer, way, before);
    const fetchUs = lacking === 0 ? 0 : core.splitUs + lacking / this.#localBytesPerUs;
    const traffic = activationTraffic(layer, { isFirst: before === undefined, isLast }, this.#activationBytes);
    return {
      computeUs: fetchUs + Math.max(multiplyUs, vectorUs),
      bytes: (this.doWeightsStay ? 0 : layer.weightBytes) + traffic + (lacking === 0 ? 0 : this.#betweenClusters(layer, way, before)),
      multiplyUs,
    };
  }

  #partOf({ macs, type, isMean, m, n, k, groups }: LayerCost, way: Way): Multiplication {
    const { ways } = this.#split;
    const part = (size: number, isDivided: boolean): number => (isDivided ? Math.ceil(size / ways) : size);
    return { macs, type, isMean, k, m: part(m, way === 'rows'), n: part(n, way === 'columns'), groups: part(groups, way === 'groups') };
  }

  /** Bytes of its input that one core does not have. */
  #lacking(layer: LayerCost, way: Way, before: Way): number {
    const rest = (this.#split.ways - 1) / this.#split.ways;
    const bytes = inputOf(layer);
    if (way === 'columns') return bytes * rest;
    if (way === 'rows' && before === 'rows') return seamBytes(layer) + secondOperandBytes(layer) * rest;
    if (way === 'groups' && before !== 'rows') return 0;
    return (bytes / this.#split.ways) * rest + (way === 'rows' ? secondOperandBytes(layer) * rest : 0);
  }

  /** Over DRAM: written once, read by every other cluster. */
  #betweenClusters(layer: LayerCost, way: Way, before: Way | undefined): number {
    const { clusters } = this.#split;
    if (clusters === 1) return 0;
    const bytes = inputOf(layer);
    if (way === 'columns') return bytes * clusters;
    const second = way === 'rows' ? secondOperandBytes(layer) * clusters : 0;
    if (way === before) return 2 * seamBytes(layer) * (clusters - 1) + second;
    return (2 * bytes * (clusters - 1)) / clusters + second;
  }
}

/** Layers without multiplications stay divided as what comes in. */
function waysOf({ macs, groups }: LayerCost, ends: readonly Node[]): readonly Way[] {
  if (macs === 0 && ends.length > 0) return ends.map(({ way }) => way);
  return groups > 1 ? WAYS : UNGROUPED;
}

/** Without state, which lies in DRAM for everybody. */
const inputOf = ({ inputBytes, stateBytes = 0 }: LayerCost): number => Math.max(0, inputBytes - stateBytes);

/**
 * Rows of the input that a core needs of its neighbours. A convolution reads every byte of its input r times; the kernel then reaches sqrt(r) - 1 output rows beyond its
 * own, of the sqrt(m) rows that a square picture has.
 */
function seamBytes(layer: LayerCost): number {
  const bytes = inputOf(layer);
  if (bytes === 0 || layer.weightBytes === 0) return 0;
  const reads = (layer.groups * layer.m * layer.k * NUMBER_TYPE_BYTES[layer.type]) / bytes;
  return reads <= 1 ? 0 : Math.min(bytes, (bytes * (Math.sqrt(reads) - 1)) / Math.sqrt(layer.m));
}

/** Of a product of two activations, such as attention, the one that every row is multiplied with. */
const secondOperandBytes = (layer: LayerCost): number =>
  layer.weightBytes > 0 || layer.macs === 0
    ? 0
    : Math.min(inputOf(layer), layer.groups * layer.n * layer.k * NUMBER_TYPE_BYTES[layer.type]);
