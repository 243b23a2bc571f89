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
}

/** One NPU core; all cores of a profile are alike. */
export interface SocCore {
  /** Dense operations per second by type, a multiply-accumulate counting two. Types that are not there run as the next wider one that is. */
  readonly opsPerSecond: Readonly<Partial<Record<NumberType, number>>>;
  readonly array: MacArray;
  /** Element operations (activations, additions) per second of the vector unit beside the multipliers. */
  readonly vectorOpsPerSecond: number;
  /** Part of the peak that a layer reaches which fits the array exactly. 0..1 */
  readonly computeRatio: number;
  /** From the command to the first operation, and from the last to the interrupt, once a segment. */
  readonly dispatchUs: number;
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
  readonly source: string;
  readonly confidence: Confidence;
}

/** What the simulator knows of a chip. Deep-frozen; SI units throughout. */
export interface SocProfile {
  readonly id: string;
  readonly name: string;
  readonly class: SocClass;
  readonly about: string;
  readonly clusterCount: number;
  readonly coresPerCluster: number;
  readonly core: SocCore;
  /** Shared by the cores of one cluster, in equal parts. */
  readonly localMemoryBytes: number;
  /** Weights that fit their core's part of the local memory stay there between runs and are not read again. */
  readonly doWeightsStay: boolean;
  readonly dram: SocDram;
  readonly power: SocPower;
  readonly thermal: SocThermal;
  /** At least one; the first is the default. */
  readonly modes: readonly SocMode[];
  /** What the host processor or its image hardware takes per frame before and after the NPU. */
  readonly host: { readonly prepareUs: number; readonly decodeUs: number };
  readonly origins: readonly FigureOrigin[];
}

export const coreCountOf = (profile: Pick<SocProfile, 'clusterCount' | 'coresPerCluster'>): number =>
  profile.clusterCount * profile.coresPerCluster;

/** Cores are numbered cluster by cluster. */
export const clusterOf = ({ coresPerCluster }: Pick<SocProfile, 'coresPerCluster'>, core: number): number =>
  Math.floor(core / coresPerCluster);

/** Of the bus, after its losses. */
export const usableBytesPerSecond = ({ dram }: Pick<SocProfile, 'dram'>): number => dram.bytesPerSecond * dram.efficiencyRatio;
