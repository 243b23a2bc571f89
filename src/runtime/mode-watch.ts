import type { ModesConfig } from '../config/runtime-config.ts';
import { after, type Clock, type Timer } from '../core/clock.ts';
import { MODES, type Mode, modeSeverity } from '../core/mode.ts';
import { durationFromMs, elapsedUs, type InstantUs } from '../core/units.ts';
import type { DeviceConditions } from '../devices/device.ts';

/** Heat and bandwidth change over seconds; ten looks a second are plenty. */
const LOOK_US = durationFromMs(100);

export interface ModeWatchDeps {
  readonly clock: Clock;
  readonly conditions: () => DeviceConditions;
  /** Cores that should be there and are not. */
  readonly coresMissing: () => number;
  /** Called when the mode changes. */
  readonly changed: (mode: Mode, from: Mode) => void;
}

/**
 * Turns conditions into modes, with hysteresis in level (`hot`) and in time: a condition has to last to begin its mode, and to be gone for a while to end it. Of
 * several modes that hold, the most severe one is the machine's.
 */
export class ModeWatch {
  readonly #config: ModesConfig;
  readonly #deps: ModeWatchDeps;
  readonly #signals = new Map<Mode, Signal>();
  #mode: Mode = 'nominal';
  #isSafe = false;
  #timer: Timer | undefined;

  constructor(config: ModesConfig, deps: ModeWatchDeps) {
    this.#config = config;
    this.#deps = deps;
    for (const mode of MODES) this.#signals.set(mode, { isOn: false, changingSince: undefined });
  }

  get mode(): Mode {
    return this.#mode;
  }

  start(): void {
    this.#timer = after(this.#deps.clock, LOOK_US, () => {
      this.look();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** By order of somebody who knows better; it begins and ends at once. */
  setSafe(isSafe: boolean): void {
    this.#isSafe = isSafe;
    this.#settle();
  }

  /** Looks at the conditions now. */
  look(): void {
    const now = this.#deps.clock.now();
    for (const [mode, signal] of this.#signals) this.#follow(mode, signal, now);
    this.#settle();
  }

  #follow(mode: Mode, signal: Signal, now: InstantUs): void {
    if (this.#isGiven(mode, signal.isOn) === signal.isOn) {
      signal.changingSince = undefined;
      return;
    }
    signal.changingSince ??= now;
    const { enterAfterUs, leaveAfterUs } = this.#config;
    if (elapsedUs(signal.changingSince, now) < (signal.isOn ? leaveAfterUs : enterAfterUs)) return;
    signal.isOn = !signal.isOn;
    signal.changingSince = undefined;
  }

  #isGiven(mode: Mode, isOn: boolean): boolean {
    const { bandwidthShortBelow, hot, coresLost } = this.#config;
    const { bandwidthRatio, dieC } = this.#deps.conditions();
    switch (mode) {
      case 'bandwidth-short':
        return bandwidthShortBelow !== undefined && bandwidthRatio !== undefined && bandwidthRatio < bandwidthShortBelow;
      case 'hot':
        return hot !== undefined && dieC !== undefined && (isOn ? dieC > hot.leaveC : dieC >= hot.enterC);
      case 'core-lost':
        return coresLost !== undefined && this.#deps.coresMissing() >= coresLost;
      default:
        return false;
    }
  }

  #settle(): void {
    const on = MODES.filter((mode) => this.#signals.get(mode)?.isOn === true || (mode === 'safe' && this.#isSafe));
    const next = on.reduce<Mode>((worst, mode) => (modeSeverity(mode) > modeSeverity(worst) ? mode : worst), 'nominal');
    if (next === this.#mode) return;
    const from = this.#mode;
    this.#mode = next;
    this.#deps.changed(next, from);
  }
}

interface Signal {
  isOn: boolean;
  /** Since when the condition has been otherwise. */
  changingSince: InstantUs | undefined;
}
