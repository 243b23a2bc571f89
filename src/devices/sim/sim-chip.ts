import type { Clock, Timer } from '../../core/clock.ts';
import type { CoreId } from '../../core/job.ts';
import type { FigureRange, SocMode, SocProfile } from '../../core/soc-profile.ts';
import { type DurationUs, type InstantUs, instantUs } from '../../core/units.ts';
import { busLevel, type Flow, flowUs } from './bus-share.ts';
import type { SegmentCost } from './segment-cost.ts';
import { createThermalModel, HEAT_STEP_US } from './thermal.ts';

/** Byte budgets of cores, handed out anew at every multiple of the period (MemGuard: Yun et al. 2013). Cores that are not named are not regulated. */
export interface Regulation {
  readonly periodUs: DurationUs;
  readonly bytesByCore: ReadonlyMap<CoreId, number>;
}

/** Watches the chip; it may count and draw, never change. */
export interface ChipObserver {
  /** From `at` on the bus carries this and the chip takes this much power (the middle of its range). */
  flow(at: InstantUs, bytesPerUs: number, watts: number): void;
  heat(at: InstantUs, dieC: number, isThrottled: boolean): void;
}

export interface ChipFigures {
  readonly elapsedUs: number;
  /** From and to DRAM. */
  readonly busBytes: number;
  /** The most that the bus could have carried in the time, in the mode and under the faults there were. */
  readonly capacityBytes: number;
  readonly joules: FigureRange;
  /** Over one step of the thermal model, the middle of the range. */
  readonly wattsMax: number;
  readonly dieC: number;
  readonly dieMaxC: number;
  readonly caseMaxC: number;
  readonly throttledUs: number;
}

/** A segment under way. */
export interface Run {
  readonly core: CoreId;
  readonly cost: SegmentCost;
  readonly killAt: InstantUs;
  readonly isHung: boolean;
  /** Told inside a timer of the chip, when all is accounted for. */
  readonly onEnd: (how: 'done' | 'overdue') => void;
}

interface Running extends Run {
  readonly flow: { readonly cost: SegmentCost; speed: number; drag: number };
  /** The whole segment with the bus to itself, and what it takes of the bus then. */
  aloneUs: number;
  aloneBytesPerUs: number;
  /** 0..1 of the segment. */
  progress: number;
  /** The whole segment at the present level. */
  us: number;
  bytesPerUs: number;
  endAt: number;
}

interface Budget {
  readonly bytes: number;
  period: number;
  left: number;
}

/** A remainder of a budget that is only rounding. */
const EPSILON = 1e-9;

/** Of a number, four times its last binary digit. */
const DIGIT = 2 ** -50;

/** What an end may lie beyond a whole microsecond and still count as there: the rounding of a progress that was summed up from many parts. */
const ROUNDING_US = 1e-5;

/**
 * The cores' shared fate: bus, clock, power and heat. Whenever a segment starts or ends, or the clock or the bus changes, all that is under way is brought up
 * to date, the bus is shared anew, and one timer is set for what comes first. Ends fall on whole microseconds, never early.
 */
export class SimChip {
  readonly #clock: Clock;
  readonly #profile: SocProfile;
  readonly #mode: SocMode;
  readonly #observer: ChipObserver | undefined;
  readonly #regulation: Regulation | undefined;
  readonly #thermal: ReturnType<typeof createThermalModel>;
  readonly #budgets = new Map<CoreId, Budget>();
  readonly #drags = new Map<CoreId, number>();
  readonly #joulesPerMac: FigureRange;
  readonly #joulesPerByte: FigureRange;
  #running: Running[] = [];
  readonly #active: Flow[] = [];
  #bandwidthRatio = 1;
  /** Bytes per microsecond that the bus can carry now. */
  #capacity = 0;
  #timer: Timer | undefined;
  #timerAt = Number.NaN;
  #isTelling = false;
  readonly #bornAt: InstantUs;
  #at: number;
  #heatAt: number;
  #stepJoules = 0;
  #busBytes = 0;
  #capacityBytes = 0;
  #energyMacs = 0;
  #throttledUs = 0;
  #wattsMax = 0;
  #dieMaxC: number;
  #caseMaxC: number;

  constructor(
    options: { readonly profile: SocProfile; readonly mode: SocMode; readonly regulation?: Regulation },
    deps: { readonly clock: Clock; readonly observer?: ChipObserver },
  ) {
    this.#profile = options.profile;
    this.#mode = options.mode;
    this.#regulation = options.regulation;
    this.#clock = deps.clock;
    this.#observer = deps.observer;
    this.#thermal = createThermalModel(options.profile.thermal);
    const { power, thermal } = options.profile;
    this.#joulesPerMac = scaled(power.macPicojoules, 1e-12);
    this.#joulesPerByte = scaled(power.dramPicojoulesPerByte, 1e-12);
    this.#bornAt = deps.clock.now();
    this.#at = this.#bornAt;
    this.#heatAt = this.#bornAt + HEAT_STEP_US;
    this.#dieMaxC = thermal.ambientC;
    this.#caseMaxC = thermal.ambientC;
    this.#setCapacity();
    for (const [core, bytes] of options.regulation?.bytesByCore ?? []) this.#budgets.set(core, { bytes, period: Number.NaN, left: 0 });
  }

  begin(run: Run): void {
    this.#advance();
    const { core, cost, killAt, isHung, onEnd } = run;
    const running: Running = {
      core,
      cost,
      killAt,
      isHung,
      onEnd,
      flow: { cost, speed: 1, drag: 1 },
      progress: 0,
      us: 0,
      bytesPerUs: 0,
      aloneUs: 0,
      aloneBytesPerUs: 0,
      endAt: Number.POSITIVE_INFINITY,
    };
    this.#setFlow(running);
    this.#running.push(running);
    this.#replan();
  }

  /** Lets what runs on the core be a shorter piece of work from now on, of which it has done `progress`, 0..1; bytes and energy of the past stay counted. */
  shorten(core: CoreId, to: (progress: number) => { readonly cost: SegmentCost; readonly progress: number } | undefined): void {
    this.#advance();
    const place = this.#running.findIndex((run) => run.core === core);
    const run = this.#running[place];
    if (run === undefined) return;
    const shorter = to(run.progress);
    if (shorter === undefined) return;
    const running: Running = { ...run, cost: shorter.cost, progress: shorter.progress, flow: { cost: shorter.cost, speed: 1, drag: 1 } };
    this.#setFlow(running);
    this.#running[place] = running;
    this.#replan();
  }

  /** How far what runs on the core has come, 0..1. */
  progress(core: CoreId): number {
    this.#advance();
    return this.#running.find((run) => run.core === core)?.progress ?? 0;
  }

  /** Takes off what runs on the core, if anything; its `onEnd` is not called. */
  abort(core: CoreId): void {
    this.#advance();
    this.#running = this.#running.filter((run) => run.core !== core);
    this.#replan();
  }

  /** How much longer everything on this core takes from now on; 1 is as usual. */
  drag(core: CoreId, factor: number): void {
    this.#advance();
    this.#drags.set(core, factor);
    this.#setFlows();
    this.#replan();
  }

  bandwidth(ratio: number): void {
    this.#advance();
    this.#bandwidthRatio = ratio;
    this.#setCapacity();
    this.#setFlows();
    this.#replan();
  }

  heatAmbient(byC: number): void {
    this.#advance();
    this.#thermal.heatAmbient(byC);
  }

  figures(): ChipFigures {
    this.#advance();
    const elapsedUs = this.#at - this.#bornAt;
    const idle = (this.#profile.power.idleW * elapsedUs) / 1e6;
    const joules = (end: 'low' | 'high'): number =>
      idle + this.#energyMacs * this.#joulesPerMac[end] + this.#busBytes * this.#joulesPerByte[end];
    return {
      elapsedUs,
      busBytes: this.#busBytes,
      capacityBytes: this.#capacityBytes,
      joules: { low: joules('low'), high: joules('high') },
      wattsMax: this.#wattsMax,
      dieC: this.#thermal.dieC,
      dieMaxC: this.#dieMaxC,
      caseMaxC: this.#caseMaxC,
      throttledUs: this.#throttledUs,
    };
  }

  dispose(): void {
    this.#timer?.cancel();
    this.#running = [];
  }

  #setCapacity(): void {
    const { dram } = this.#profile;
    this.#capacity = (dram.bytesPerSecond * dram.efficiencyRatio * this.#mode.bandwidthRatio * this.#bandwidthRatio) / 1e6;
  }

  /** To be called when clock, bus or drags change: for the most part segments come and go without that. */
  #setFlows(): void {
    for (const run of this.#running) this.#setFlow(run);
  }

  #setFlow(run: Running): void {
    const { flow } = run;
    flow.speed = this.#mode.clockRatio * (this.#thermal.isThrottled ? this.#profile.thermal.throttledRatio : 1);
    flow.drag = this.#drags.get(run.core) ?? 1;
    run.aloneUs = flowUs(flow, this.#capacity);
    run.aloneBytesPerUs = run.aloneUs > 0 ? run.cost.bytes / run.aloneUs : 0;
  }

  /** Everything up to now, thermal step by thermal step. */
  #advance(): void {
    const now = this.#clock.now();
    while (this.#heatAt <= now) {
      this.#flowTo(this.#heatAt);
      this.#heatStep();
    }
    this.#flowTo(now);
  }

  #flowTo(at: number): void {
    const span = at - this.#at;
    if (span <= 0) return;
    this.#at = at;
    this.#capacityBytes += span * this.#capacity;
    if (this.#thermal.isThrottled) this.#throttledUs += span;
    let bytes = 0;
    let macs = 0;
    for (const run of this.#running) {
      if (run.us === Number.POSITIVE_INFINITY) continue;
      const part = at >= run.endAt ? 1 - run.progress : Math.min(1 - run.progress, span / run.us);
      run.progress += part;
      bytes += part * run.cost.bytes;
      macs += part * run.cost.energyMacs;
      const budget = this.#regulation === undefined ? undefined : this.#budgets.get(run.core);
      if (budget !== undefined) budget.left = Math.max(0, budget.left - part * run.cost.bytes);
    }
    this.#busBytes += bytes;
    this.#energyMacs += macs;
    this.#stepJoules += macs * middle(this.#joulesPerMac) + bytes * middle(this.#joulesPerByte);
  }

  #heatStep(): void {
    const watts = this.#profile.power.idleW + (this.#stepJoules * 1e6) / HEAT_STEP_US;
    this.#stepJoules = 0;
    const didChange = this.#thermal.step(watts);
    this.#wattsMax = Math.max(this.#wattsMax, watts);
    this.#dieMaxC = Math.max(this.#dieMaxC, this.#thermal.dieC);
    this.#caseMaxC = Math.max(this.#caseMaxC, this.#thermal.caseC);
    this.#observer?.heat(instantUs(this.#heatAt), this.#thermal.dieC, this.#thermal.isThrottled);
    this.#heatAt += HEAT_STEP_US;
    if (didChange) this.#setFlows();
  }

  /** Shares the bus anew and sets the timer. Put off while ends are being told, since each may start another segment. */
  #replan(): void {
    if (this.#isTelling) return;
    const now = this.#at;
    const level = this.#level();
    const isShared = level < this.#capacity;
    let next = this.#heatAt;
    let bytesPerUs = 0;
    let watts = this.#profile.power.idleW;
    for (const run of this.#running) {
      const isMoving = !run.isHung && !this.#isStalled(run.core);
      run.us = !isMoving ? Number.POSITIVE_INFINITY : isShared ? flowUs(run.flow, level) : run.aloneUs;
      run.bytesPerUs = run.us > 0 ? run.cost.bytes / run.us : 0;
      run.endAt = isMoving ? Math.ceil(now + (1 - run.progress) * run.us - ROUNDING_US) : Number.POSITIVE_INFINITY;
      next = Math.min(next, run.endAt, run.killAt, this.#budgetAt(run));
      if (this.#observer === undefined) continue;
      bytesPerUs += run.bytesPerUs;
      const joules = run.cost.energyMacs * middle(this.#joulesPerMac) + run.cost.bytes * middle(this.#joulesPerByte);
      if (run.us > 0) watts += (joules / run.us) * 1e6;
    }
    this.#observer?.flow(instantUs(now), bytesPerUs, watts);
    this.#wakeAt(this.#running.length === 0 ? Number.NaN : next);
  }

  /** What every layer that waits for memory gets. */
  #level(): number {
    const active = this.#active;
    active.length = 0;
    let taken = 0;
    for (const run of this.#running) {
      if (run.isHung || this.#isStalled(run.core)) continue;
      active.push(run.flow);
      taken += run.aloneBytesPerUs;
    }
    return taken <= this.#capacity ? this.#capacity : busLevel(active, this.#capacity);
  }

  /** NaN for never. What is set for the same instant already stays. */
  #wakeAt(at: number): void {
    if (at === this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = Number.isNaN(at)
      ? undefined
      : this.#clock.at(instantUs(at), () => {
          this.#timerAt = Number.NaN;
          this.#due();
        });
  }

  #isStalled(core: CoreId): boolean {
    if (this.#regulation === undefined) return false;
    const budget = this.#budgets.get(core);
    if (budget === undefined) return false;
    const period = Math.floor(this.#at / this.#regulation.periodUs);
    if (budget.period !== period) {
      budget.period = period;
      budget.left = budget.bytes;
    }
    return budget.left <= budget.bytes * EPSILON;
  }

  /** When the core's budget is used up or handed out anew, whichever comes first. Not on a whole microsecond: nobody but the chip sees it. */
  #budgetAt(run: Running): number {
    if (this.#regulation === undefined) return Number.POSITIVE_INFINITY;
    const budget = this.#budgets.get(run.core);
    if (budget === undefined) return Number.POSITIVE_INFINITY;
    const { periodUs } = this.#regulation;
    const refillAt = (Math.floor(this.#at / periodUs) + 1) * periodUs;
    if (run.bytesPerUs === 0) return refillAt;
    // Late in a long run a remainder may be too short for the clock's digits; time has to go on all the same.
    const leastUs = this.#at * DIGIT + DIGIT;
    return Math.min(refillAt, this.#at + Math.max(leastUs, budget.left / run.bytesPerUs));
  }

  #due(): void {
    this.#advance();
    const now = this.#at;
    const running = this.#running;
    const ended: Running[] = [];
    let kept = 0;
    for (const run of running) {
      if (run.endAt <= now || run.killAt <= now) ended.push(run);
      else {
        running[kept] = run;
        kept += 1;
      }
    }
    running.length = kept;
    this.#isTelling = true;
    for (const run of ended) run.onEnd(run.endAt <= now ? 'done' : 'overdue');
    this.#isTelling = false;
    this.#replan();
  }
}

const middle = ({ low, high }: FigureRange): number => (low + high) / 2;
const scaled = ({ low, high }: FigureRange, by: number): FigureRange => ({ low: low * by, high: high * by });
