import type { Clock, Timer } from '../../core/clock.ts';
import type { CoreId } from '../../core/job.ts';
import type { FigureRange, SocMode, SocProfile } from '../../core/soc-profile.ts';
import type { StreamId } from '../../core/stream.ts';
import { type InstantUs, instantUs } from '../../core/units.ts';
import type { DeviceConditions } from '../device.ts';
import { bandwidthAt, busLevel, flowUs } from './bus-share.ts';
import { ByteBudget, type Regulation } from './byte-budget.ts';
import type { ChipFigures, ChipObserver } from './chip-figures.ts';
import { PowerCap } from './power-cap.ts';
import { type Run, Running } from './running.ts';
import type { SegmentCost } from './segment-cost.ts';
import { HEAT_STEP_US, ThermalModel } from './thermal.ts';

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
  readonly #thermal: ThermalModel;
  readonly #cap: PowerCap;
  readonly #budgets: ReadonlyMap<StreamId, ByteBudget>;
  readonly #isRegulated: boolean;
  readonly #drags = new Map<CoreId, number>();
  readonly #joulesPerMac: FigureRange;
  readonly #joulesPerByte: FigureRange;
  readonly #middleJoulesPerMac: number;
  readonly #middleJoulesPerByte: number;
  /** By core, for good; those that run something are in `#running`, in the order in which they began. */
  readonly #lanes: (Running | undefined)[] = [];
  #running: Running[] = [];
  /** What every layer that waits for memory gets, as the running ones were last planned; NaN when all have to be planned anew. */
  #level = Number.NaN;
  #bandwidthRatio = 1;
  /** Bytes per microsecond that the bus can carry now. */
  #capacity = 0;
  #timer: Timer | undefined;
  #timerAt = Number.NaN;
  readonly #onTimer = (): void => {
    this.#timerAt = Number.NaN;
    this.#due();
  };
  #isTelling = false;
  readonly #bornAt: InstantUs;
  #at: number;
  #heatAt: number;
  #stepJoules = 0;
  #busBytes = 0;
  #capacityBytes = 0;
  #energyMacs = 0;
  #throttledUs = 0;
  #cappedUs = 0;
  #wattsMax = 0;
  #dieMaxC: number;
  #caseMaxC: number;

  constructor(
    options: { readonly profile: SocProfile; readonly mode: SocMode; readonly regulation?: Regulation },
    deps: { readonly clock: Clock; readonly observer?: ChipObserver },
  ) {
    this.#profile = options.profile;
    this.#mode = options.mode;
    this.#clock = deps.clock;
    this.#observer = deps.observer;
    this.#thermal = new ThermalModel(options.profile.thermal);
    this.#cap = new PowerCap(options.mode.watts);
    const { power, thermal } = options.profile;
    this.#joulesPerMac = scaled(power.macPicojoules, 1e-12);
    this.#joulesPerByte = scaled(power.dramPicojoulesPerByte, 1e-12);
    this.#middleJoulesPerMac = middle(this.#joulesPerMac);
    this.#middleJoulesPerByte = middle(this.#joulesPerByte);
    this.#bornAt = deps.clock.now();
    this.#at = this.#bornAt;
    this.#heatAt = this.#bornAt + HEAT_STEP_US;
    this.#dieMaxC = thermal.ambientC;
    this.#caseMaxC = thermal.ambientC;
    this.#setCapacity();
    const { periodUs = 0, bytesByStream = [] } = options.regulation ?? {};
    this.#budgets = new Map([...bytesByStream].map(([stream, bytes]) => [stream, new ByteBudget(stream, bytes, periodUs)]));
    this.#isRegulated = this.#budgets.size > 0;
  }

  begin(run: Run): void {
    this.#advance();
    let running = this.#lanes[run.core];
    if (running === undefined) {
      running = new Running(run);
      this.#lanes[run.core] = running;
    }
    running.become(run, run.cost, 0, this.#at);
    if (this.#isRegulated) running.budget = run.stream === undefined ? undefined : this.#budgets.get(run.stream);
    this.#setFlow(running);
    this.#running.push(running);
    this.#replan();
  }

  /** Lets what runs on the core be a shorter piece of work from now on, of which it has done `progress`, 0..1; bytes and energy of the past stay counted. */
  shorten(core: CoreId, to: (progress: number) => { readonly cost: SegmentCost; readonly progress: number } | undefined): void {
    this.#advance();
    const running = this.#running.find(({ run }) => run.core === core);
    if (running === undefined) return;
    this.#bring(running, this.#at);
    const shorter = to(running.progress);
    if (shorter === undefined) return;
    running.become(running.run, shorter.cost, shorter.progress, this.#at);
    this.#setFlow(running);
    this.#replan();
  }

  /** How far what runs on the core has come, 0..1. */
  progress(core: CoreId): number {
    this.#advance();
    this.#bringAll(this.#at);
    return this.#running.find(({ run }) => run.core === core)?.progress ?? 0;
  }

  /** When what runs on the core will end as things stand; infinite when nothing does, or never. */
  readonly endsAt = (core: CoreId): number => this.#running.find(({ run }) => run.core === core)?.endAt ?? Number.POSITIVE_INFINITY;

  /** Takes off what runs on the core, if anything; its `onEnd` is not called. */
  abort(core: CoreId): void {
    this.#advance();
    for (const running of this.#running) if (running.run.core === core) this.#bring(running, this.#at);
    this.#running = this.#running.filter(({ run }) => run.core !== core);
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

  conditions(): DeviceConditions {
    this.#advance();
    return { bandwidthRatio: this.#bandwidthRatio, dieC: this.#thermal.dieC };
  }

  figures(): ChipFigures {
    this.#advance();
    this.#bringAll(this.#at);
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
      cappedUs: this.#cappedUs,
      budgets: [...this.#budgets.values()].map((budget) => budget.figuresAt(this.#at)),
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
    this.#level = Number.NaN;
    for (const running of this.#running) this.#setFlow(running);
  }

  #setFlow(running: Running): void {
    const { run, cost } = running;
    running.speed = this.#mode.clockRatio * this.#cap.clockRatio * (this.#thermal.isThrottled ? this.#profile.thermal.throttledRatio : 1);
    running.drag = this.#drags.size === 0 ? 1 : this.#dragOf(run);
    running.aloneUs = flowUs(running, this.#capacity);
    running.aloneBytesPerUs = running.aloneUs > 0 ? cost.bytes / running.aloneUs : 0;
  }

  /** Cores that run a segment together wait for the slowest. */
  #dragOf({ core, others }: Run): number {
    return others.reduce((most, other) => Math.max(most, this.#drags.get(other) ?? 1), this.#drags.get(core) ?? 1);
  }

  /** Everything up to now, thermal step by thermal step. */
  #advance(): void {
    const now = this.#clock.now();
    while (this.#heatAt <= now) {
      this.#passTo(this.#heatAt);
      this.#bringAll(this.#heatAt);
      this.#heatStep();
    }
    this.#passTo(now);
    // What is left of a budget has to be known whenever it is asked for.
    if (this.#isRegulated) for (const running of this.#running) if (running.budget !== undefined) this.#bring(running, now);
  }

  #passTo(at: number): void {
    const span = at - this.#at;
    if (span <= 0) return;
    this.#at = at;
    this.#capacityBytes += span * this.#capacity;
    if (this.#thermal.isThrottled) this.#throttledUs += span;
    if (this.#cap.clockRatio < 1) this.#cappedUs += span;
  }

  #bringAll(at: number): void {
    for (const running of this.#running) this.#bring(running, at);
  }

  /** Accounts for what the segment has done since it was last looked at. */
  #bring(running: Running, at: number): void {
    const { cost, since, us, progress } = running;
    if (at <= since) return;
    running.since = at;
    if (!Number.isFinite(us)) return;
    const part = at >= running.endAt ? 1 - progress : Math.min(1 - progress, (at - since) / us);
    running.progress = progress + part;
    const bytes = part * cost.bytes;
    const macs = part * cost.energyMacs;
    this.#busBytes += bytes;
    this.#energyMacs += macs;
    this.#stepJoules += macs * this.#middleJoulesPerMac + bytes * this.#middleJoulesPerByte;
    running.budget?.draw(bytes);
  }

  #heatStep(): void {
    const watts = this.#profile.power.idleW + (this.#stepJoules * 1e6) / HEAT_STEP_US;
    this.#stepJoules = 0;
    const didHeatChange = this.#thermal.step(watts);
    const didCapChange = this.#cap.step(watts);
    this.#wattsMax = Math.max(this.#wattsMax, watts);
    this.#dieMaxC = Math.max(this.#dieMaxC, this.#thermal.dieC);
    this.#caseMaxC = Math.max(this.#caseMaxC, this.#thermal.caseC);
    this.#observer?.heat(instantUs(this.#heatAt), this.#thermal.dieC, this.#thermal.isThrottled);
    this.#heatAt += HEAT_STEP_US;
    if (didHeatChange || didCapChange) this.#setFlows();
  }

  /**
   * Shares the bus anew and sets the timer. Where the level stays as it was, and most of all where the bus has room for everybody before and after, only what has
   * just begun is planned. Put off while ends are being told, since each may start another segment.
   */
  #replan(): void {
    if (this.#isTelling) return;
    if (this.#isRegulated) this.#regulate();
    const level = this.#nextLevel();
    const isNew = level !== this.#level;
    this.#level = level;
    let next = this.#heatAt;
    for (const running of this.#running) {
      if (isNew || Number.isNaN(running.us)) this.#plan(running, level);
      next = Math.min(next, running.endAt, running.killAt);
    }
    if (this.#isRegulated) next = Math.min(next, this.#budgetsChangeAt());
    if (this.#observer !== undefined) this.#tellFlow(this.#observer);
    this.#wakeAt(this.#running.length === 0 ? Number.NaN : next);
  }

  #plan(running: Running, level: number): void {
    const now = this.#at;
    this.#bring(running, now);
    const isMoving = this.#isMoving(running);
    const us = !isMoving
      ? Number.POSITIVE_INFINITY
      : level < this.#capacity
        ? flowUs(running, bandwidthAt(running, level, this.#capacity))
        : running.aloneUs;
    running.us = us;
    running.bytesPerUs = us > 0 ? running.cost.bytes / us : 0;
    running.endAt = isMoving ? Math.ceil(now + (1 - running.progress) * us - ROUNDING_US) : Number.POSITIVE_INFINITY;
  }

  #tellFlow(observer: ChipObserver): void {
    let bytesPerUs = 0;
    let watts = this.#profile.power.idleW;
    for (const { cost, us, bytesPerUs: rate } of this.#running) {
      bytesPerUs += rate;
      if (us > 0) watts += ((cost.energyMacs * this.#middleJoulesPerMac + cost.bytes * this.#middleJoulesPerByte) / us) * 1e6;
    }
    observer.flow(instantUs(this.#at), bytesPerUs, watts);
  }

  /** What every layer that waits for memory gets. */
  #nextLevel(): number {
    let taken = 0;
    let areAllMoving = true;
    for (const running of this.#running) {
      if (this.#isMoving(running)) taken += running.aloneBytesPerUs;
      else areAllMoving = false;
    }
    if (taken <= this.#capacity) return this.#capacity;
    return busLevel(areAllMoving ? this.#running : this.#running.filter((running) => this.#isMoving(running)), this.#capacity);
  }

  #isMoving({ isHung, isStalled }: Running): boolean {
    return !isHung && !isStalled;
  }

  /** Stops and starts segments by what is left of their budgets. What each has moved was drawn in `#advance`, so nothing is lost with its rate. */
  #regulate(): void {
    for (const budget of this.#budgets.values()) budget.runs = 0;
    for (const running of this.#running) {
      const { budget } = running;
      if (budget === undefined || running.cost.bytes === 0) continue;
      budget.runs += 1;
      const isStalled = budget.isSpentAt(this.#at);
      if (isStalled === running.isStalled) continue;
      running.isStalled = isStalled;
      running.us = Number.NaN;
    }
    for (const budget of this.#budgets.values()) budget.wait(budget.runs > 0 && budget.isSpentAt(this.#at), this.#at);
  }

  /** The next instant at which a budget that somebody draws on or waits for is used up or handed out anew. */
  #budgetsChangeAt(): number {
    for (const budget of this.#budgets.values()) budget.rate = 0;
    for (const { budget, bytesPerUs } of this.#running) if (budget !== undefined) budget.rate += bytesPerUs;
    let next = Number.POSITIVE_INFINITY;
    for (const budget of this.#budgets.values()) if (budget.runs > 0) next = Math.min(next, budget.changesAt(this.#at));
    return next;
  }

  /** NaN for never. What is set for the same instant already stays. */
  #wakeAt(at: number): void {
    if (at === this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = Number.isNaN(at) ? undefined : this.#clock.at(instantUs(at), this.#onTimer);
  }

  #due(): void {
    this.#advance();
    this.#isTelling = true;
    for (let ended = this.#takeEnded(); ended !== undefined; ended = this.#takeEnded()) {
      ended.run.onEnd(ended.endAt <= this.#at ? 'done' : 'overdue');
    }
    this.#isTelling = false;
    this.#replan();
  }

  /** The first that has ended or is to be killed by now; it runs no more. */
  #takeEnded(): Running | undefined {
    const running = this.#running;
    for (let index = 0; index < running.length; index += 1) {
      const one = running[index] as Running;
      if (one.endAt > this.#at && one.killAt > this.#at) continue;
      this.#bring(one, this.#at);
      for (let next = index + 1; next < running.length; next += 1) running[next - 1] = running[next] as Running;
      running.pop();
      return one;
    }
    return undefined;
  }
}

const middle = ({ low, high }: FigureRange): number => (low + high) / 2;
const scaled = ({ low, high }: FigureRange, by: number): FigureRange => ({ low: low * by, high: high * by });
