import type { DurationUs } from '../core/units.ts';
import { CostEstimate } from './cost-estimate.ts';

/** What was learnt of a core is forgotten when the model has run so often since, and never there: cores warm up, and get and lose company. */
const RUNS_REMEMBERED = 64;

/**
 * When so many jobs in a row were held on a core where the model has not run yet, the seed is believed without its margin from then on: a model that fits by its
 * manifest, but not with the margin, would else be held for ever and never show what it takes. Three, since a job is also held for a moment where it fits.
 */
const HELD_MAX = 3;

/** What is known of one core. */
interface OnCore {
  estimate: CostEstimate;
  /** `runs` of the model when it last ran there. */
  lastRun: number;
}

/**
 * What one run of a model takes on each of its cores, learnt online. Cores differ, by make and by what else they have to do, so each has an estimate of its own as
 * soon as the model has run there. It begins with what is known of the model wherever it ran; of a model with a single core, or one that takes several at once,
 * that is all there is.
 */
export class CoreCosts {
  /** What is believed now, by index of the core; infinite where the model may not run. Columns, since they are read many times a decision. */
  readonly typicalUs: Float64Array;
  readonly highUs: Float64Array;
  /** Wherever it ran. */
  readonly overall: CostEstimate;
  readonly #cores: readonly number[];
  readonly #isByCore: boolean;
  /** By index of the core. */
  readonly #onCores: (OnCore | undefined)[] = [];
  readonly #heldCounts: number[] = [];
  #runs = 0;

  /**
   * @param seedUs what to believe until measured
   * @param cores where the model may run, by index
   * @param isByCore whether the cores are told apart
   */
  constructor(seedUs: DurationUs, cores: readonly number[], isByCore: boolean) {
    this.overall = new CostEstimate(seedUs);
    this.#cores = cores;
    this.#isByCore = isByCore;
    const places = Math.max(...cores) + 1;
    this.typicalUs = new Float64Array(places).fill(Number.POSITIVE_INFINITY);
    this.highUs = new Float64Array(places).fill(Number.POSITIVE_INFINITY);
    this.#tell();
  }

  /** @param core its index */
  observe(core: number, sampleUs: DurationUs): void {
    if (this.#isByCore) {
      const own = this.#own(core);
      own.estimate.observe(sampleUs);
      own.lastRun = this.#runs + 1;
    }
    this.#runs += 1;
    this.overall.observe(sampleUs);
    this.#heldCounts[core] = 0;
    this.#tell();
  }

  /** A job that has not been held before is held there. */
  hold(core: number): void {
    const count = (this.#heldCounts[core] ?? 0) + 1;
    this.#heldCounts[core] = count;
    if (count !== HELD_MAX) return;
    if (this.#isByCore) this.#own(core).estimate.trustSeed();
    else this.overall.trustSeed();
    this.#tell();
  }

  /** See CostEstimate. */
  doubt(): void {
    this.overall.doubt();
    for (const own of this.#onCores) own?.estimate.doubt();
    this.#tell();
  }

  #tell(): void {
    for (const core of this.#cores) {
      const { typicalUs, highUs } = this.#estimateOn(core);
      this.typicalUs[core] = typicalUs;
      this.highUs[core] = highUs;
    }
  }

  #estimateOn(core: number): CostEstimate {
    const own = this.#isByCore ? this.#onCores[core] : undefined;
    return own === undefined || this.#runs - own.lastRun > RUNS_REMEMBERED ? this.overall : own.estimate;
  }

  #own(core: number): OnCore {
    const known = this.#onCores[core];
    if (known !== undefined && this.#runs - known.lastRun <= RUNS_REMEMBERED) return known;
    const { typicalUs, highUs } = this.overall;
    const own = { estimate: new CostEstimate(typicalUs, highUs), lastRun: this.#runs };
    this.#onCores[core] = own;
    return own;
  }
}
