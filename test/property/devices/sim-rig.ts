import { SimClock } from '../../../src/core/sim-clock.ts';
import type { SocProfile } from '../../../src/core/soc-profile.ts';
import { instantUs } from '../../../src/core/units.ts';
import type { Regulation } from '../../../src/devices/sim/byte-budget.ts';
import type { ChipFigures } from '../../../src/devices/sim/chip-figures.ts';
import { compileSegment } from '../../../src/devices/sim/segment-cost.ts';
import { SimChip } from '../../../src/devices/sim/sim-chip.ts';
import { layer } from '../../support/soc-profiles.ts';

/** A segment of one or several layers, asked for at an instant; it waits until its core is free. */
export interface Ask {
  readonly core: number;
  readonly at: number;
  readonly layers: readonly { readonly computeUs: number; readonly bytes: number }[];
  /** Cores that run it together, as far as the bus is concerned; default: 1. */
  readonly width?: number;
  /** Whose budget it draws on, if that has one. */
  readonly stream?: string | undefined;
}

export interface Done extends Ask {
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface History {
  readonly done: readonly Done[];
  readonly figures: ChipFigures;
  /** The bus from each instant on. */
  readonly flows: readonly { readonly at: number; readonly bytesPerUs: number; readonly watts: number }[];
  readonly degrees: readonly number[];
}

export const computeOf = ({ layers }: Ask): number => layers.reduce((sum, { computeUs }) => sum + computeUs, 0);
export const bytesOf = ({ layers }: Ask): number => layers.reduce((sum, { bytes }) => sum + bytes, 0);

/** Numbers of cores that are only named. */
const OTHERS = 100;

/** Plays the asks on a chip of their own, until the last has ended. */
export function play(profile: SocProfile, asks: readonly Ask[], regulation?: Regulation): History {
  const clock = new SimClock();
  const done: Done[] = [];
  const flows: { at: number; bytesPerUs: number; watts: number }[] = [];
  const degrees: number[] = [];
  const mode = profile.modes[0];
  if (mode === undefined) throw new Error('a profile has a mode');
  const chip = new SimChip(
    { profile, mode, ...(regulation === undefined ? {} : { regulation }) },
    {
      clock,
      observer: { flow: (at, bytesPerUs, watts) => void flows.push({ at, bytesPerUs, watts }), heat: (_, dieC) => void degrees.push(dieC) },
    },
  );
  const queues = new Map<number, Ask[]>();
  const startNext = (core: number): void => {
    const ask = queues.get(core)?.[0];
    if (ask === undefined) return;
    const startedAt = clock.now();
    chip.begin({
      core,
      others: Array.from({ length: (ask.width ?? 1) - 1 }, (_, place) => OTHERS + place),
      cost: compileSegment(
        ask.layers.map(({ computeUs, bytes }) => layer(computeUs, bytes)),
        profile,
      ),
      stream: ask.stream,
      killAt: instantUs(Number.MAX_SAFE_INTEGER),
      isHung: false,
      onEnd: () => {
        done.push({ ...ask, startedAt, endedAt: clock.now() });
        queues.get(core)?.shift();
        startNext(core);
      },
    });
  };
  for (const ask of asks) {
    clock.at(instantUs(ask.at), () => {
      const queue = queues.get(ask.core) ?? [];
      queues.set(ask.core, [...queue, ask]);
      if (queue.length === 0) startNext(ask.core);
    });
  }
  while (done.length < asks.length && clock.step());
  return { done, figures: chip.figures(), flows, degrees };
}
