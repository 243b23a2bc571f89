import type { NumberType } from './layer-cost.ts';

/**
 * How much a figure of a profile is worth. `stated`: a requirement or a definition; `reported`: read from a named page; `memory`: not checked; `derived`:
 * computed from others; `estimate`: a guess with a reason; `gap`: nothing was found, the figure only stands for something.
 */
export const CONFIDENCES = ['stated', 'reported', 'derived', 'memory', 'estimate', 'gap'] as const;
export type Confidence = (typeof CONFIDENCES)[number];

export const SOC_CLASSES = ['car', 'cockpit', 'robot', 'pc', 'edge', 'accelerator', 'phone', 'wearable'] as const;
export type SocClass = (typeof SOC_CLASSES)[number];

/** Both ends included; low = high where only one figure is known. */
export interface FigureRange {
  readonly low: number;
  readonly high: number;
}

/** The multipliers of a core as a box: in one cycle it adds up `m x n` results over `k` terms each. Only its proportions matter, its speed is in `opsPerSecond`. */
export interface MacArray {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Groups of a grouped convolution that lie side by side along `n`, at most; an array of dataflow cores takes one at a time. */
  readonly groups: number;
}

/** One core; all cores of a kind are alike. */
export interface SocCore {
  /** Dense operations per second by type, a multiply-accumulate counting two. Types that are not there run as the next wider one that is. */
  readonly opsPerSecond: Readonly<Partial<Record<NumberType, number>>>;
  readonly array: MacArray;
  /** Element operations (activations, additions) per second of the vector unit beside the multipliers. */
  readonly vectorOpsPerSecond: number;
  /** Part of the peak that a layer reaches which fits the array exactly. 0..1 */
  readonly computeRatio: number;
  /** Prompts of language models are read at this part of the speed that the roofline gives; tokens and networks are not touched. 0..1; absent: 1. */
  readonly promptRatio?: number;
  /** Element operations that a curve (sigmoid, exp) takes: `CURVE_OPS` without a table, less with one. */
  readonly curveOps: number;
  /** From the command to the first operation, and from the last to the interrupt, once a segment. */
  readonly dispatchUs: number;
  /** The same of segments in floating point, where they begin on a path of their own. Absent: as `dispatchUs`. */
  readonly floatDispatchUs?: number;
  /** Descriptors, begin and barrier of each layer that multiplies. */
  readonly layerUs: number;
  /** What the cores of one job tell each other after such a layer, when they share it; on top of `layerUs`. */
  readonly splitUs: number;
  /** Where layers lie beside each other on the core and work at once: the part of it that one of them can have at most. 0..1; 1 elsewhere. */
  readonly layerShareRatio: number;
}

export interface SocDram {
  /** Peak of the bus. */
  readonly bytesPerSecond: number;
  /** Part of the peak that real traffic reaches. 0..1 */
  readonly efficiencyRatio: number;
  /** What models may occupy. */
  readonly memoryBytes: number;
}

export interface SocPower {
  readonly idleW: number;
  /** Of an int8 multiply-accumulate with its operands. */
  readonly macPicojoules: FigureRange;
  readonly dramPicojoulesPerByte: FigureRange;
}

/** Two lumps in a row: die, case, ambient air. */
export interface SocThermal {
  readonly ambientC: number;
  readonly dieJoulesPerK: number;
  readonly dieToCaseKPerW: number;
  readonly caseJoulesPerK: number;
  readonly caseToAmbientKPerW: number;
  /** At or above it the clock is lowered to `throttledRatio`, until the die is at or below `resumeC`. */
  readonly throttleC: number;
  readonly resumeC: number;
  readonly throttledRatio: number;
}

/** A power mode, as the vendor's tool sets it. */
export interface SocMode {
  readonly id: string;
  /** What the chip may draw, idle power included, over a tenth of a second and more; the clock is lowered where it would draw more. */
  readonly watts: number;
  readonly clockRatio: number;
  readonly bandwidthRatio: number;
}

/** Where one figure of a profile came from. */
export interface FigureOrigin {
  /** Dotted key in the file, such as `dram.bandwidthGbs`. */
  readonly key: string;
  /** Name of its entry of `sources`, and the text there. */
  readonly from: string;
  readonly source: string;
  readonly confidence: Confidence;
  /** The profile under whose same key the figure stands as well, and how many times that one it is. */
  readonly as?: { readonly profile: string; readonly times: number };
}

/** Cores that are alike. */
export interface CoreKind {
  /** What they are called: `npu`, `gpu`, `dsp`. */
  readonly kind: string;
  readonly clusterCount: number;
  readonly coresPerCluster: number;
  readonly core: SocCore;
  /** Shared by the cores of one cluster, in equal parts. */
  readonly localMemoryBytes: number;
  /** Weights that fit their core's part of the local memory stay there between runs and are not read again. */
  readonly doWeightsStay: boolean;
  /** Models of more layers that multiply, and those that multiply activations by each other, do not stay, however small they are. */
  readonly stayLayersMax: number;
  /** What a core can address at once, such as the 4 GiB that 32 bits reach: one model lies in there with its state. Undefined: no limit is known. */
  readonly addressWindowBytes?: number | undefined;
  /** Windows that the runtime of a language model spreads its layers over. Default: 1. */
  readonly addressWindows?: number | undefined;
}

/** What the simulator knows of a chip: its own kind of cores comes first, in number and as what models are meant for. Deep-frozen; SI units throughout. */
export interface SocProfile extends CoreKind {
  readonly id: string;
  readonly name: string;
  readonly class: SocClass;
  readonly about: string;
  /** Cores of other kinds, numbered after those of the first, kind after kind. Absent: there are none. */
  readonly others?: readonly CoreKind[];
  readonly dram: SocDram;
  readonly power: SocPower;
  readonly thermal: SocThermal;
  /** At least one; the first is the default. */
  readonly modes: readonly SocMode[];
  /** What the host processor or its image hardware takes per frame before and after the NPU. */
  readonly host: { readonly prepareUs: number; readonly decodeUs: number };
  /** Dense int8 operations per second of the chip's other engines, which help where all of it works on many frames; the simulator leaves them out. */
  readonly besideOpsPerSecond: number;
  /** What tables of measurements call the chip. */
  readonly knownAs: readonly string[];
  readonly origins: readonly FigureOrigin[];
}

const countOf = ({ clusterCount, coresPerCluster }: CoreKind): number => clusterCount * coresPerCluster;

/** The first is the profile's own. */
export const coreKindsOf = (profile: SocProfile): readonly CoreKind[] => [profile, ...(profile.others ?? [])];

/** Of all kinds. */
export const coreCountOf = (profile: SocProfile): number => coreKindsOf(profile).reduce((sum, kind) => sum + countOf(kind), 0);

/** Of the first kind alone. */
export const firstKindCountOf = (profile: SocProfile): number => countOf(profile);

/** Numbers clusters over all kinds; a core that the chip does not have has a cluster of its own. */
export function clusterOf(profile: SocProfile, core: number): number {
  let [from, clusters] = [0, 0];
  for (const kind of coreKindsOf(profile)) {
    if (core < from + countOf(kind)) return clusters + Math.floor((core - from) / kind.coresPerCluster);
    from += countOf(kind);
    clusters += kind.clusterCount;
  }
  return clusters + core - from;
}

/** The same chip with the kind of one of its cores in the place of the first, for whoever asks what something costs on that core. */
export function chipAsOf(profile: SocProfile, core: number): SocProfile {
  let from = 0;
  for (const kind of coreKindsOf(profile)) {
    from += countOf(kind);
    if (core < from) return asKind(profile, kind);
  }
  return profile;
}

/** The same chip with one of its kinds in the place of the first. A kind without a window has none, whatever the first has. */
export const asKind = (profile: SocProfile, kind: CoreKind): SocProfile =>
  kind === profile ? profile : { ...profile, addressWindowBytes: undefined, addressWindows: undefined, ...kind };

/** Of the bus, after its losses. */
export const usableBytesPerSecond = ({ dram }: Pick<SocProfile, 'dram'>): number => dram.bytesPerSecond * dram.efficiencyRatio;
