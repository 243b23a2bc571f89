import type { TaskSet } from '../../core/task-set.ts';
import type { BandwidthTask, MemoryRegulation } from './bandwidth.ts';
import type { CbsServer } from './cbs-run.ts';
import type { Chain, ResponseSource } from './chain.ts';
import { placesOf, ratioOf, toNearestTicks, toTicks } from './decimal-grid.ts';
import { fraction, times } from './fraction.ts';
import { type AnalysisTask, type PriorityOrder, TICKS_MAX } from './task.ts';

/** A task set in whole ticks. */
export interface TickedSet {
  /** One unit of the user's is 10^places ticks. */
  readonly places: number;
  /** Times were rounded to whole ticks, since they have more digits than exact arithmetic takes. */
  readonly isRounded: boolean;
  readonly tasks: readonly AnalysisTask[];
  readonly order: PriorityOrder;
  readonly tick: number;
  readonly cores: number | undefined;
  readonly servers: readonly CbsServer[];
  readonly until: number | undefined;
  readonly chains: readonly Chain[];
  readonly via: ResponseSource;
  readonly traffic: readonly BandwidthTask[];
  readonly memory: MemoryRegulation;
}

type Ticked =
  | { readonly kind: 'set'; readonly set: TickedSet }
  | { readonly kind: 'misfit'; readonly misfit: { readonly path: readonly (string | number)[]; readonly text: string } };

/**
 * Scales every time by one power of ten to a whole number. Where they have more digits together than exact arithmetic allows, as computed times mostly have,
 * they are rounded first. A misfit when that would change one of them noticeably.
 */
export function ticked(set: TaskSet): Ticked {
  const stamps = timesOf(set);
  const exactPlaces = placesOf(stamps.map(({ value }) => value));
  const bad = stamps.find(({ value }) => toTicks(value, exactPlaces, TICKS_MAX) === undefined);
  const places = bad === undefined ? exactPlaces : roundedPlaces(stamps);
  if (places === undefined) {
    const text = `got ${bad?.value} beside times with ${exactPlaces} decimal places; allowed are 15 digits from the largest time to the finest place together, round the table or take another unit`;
    return { kind: 'misfit', misfit: { path: bad?.path ?? [], text } };
  }
  const ticks = (value: number): number => toNearestTicks(value, places, TICKS_MAX) ?? 0;
  const total = set.tasks.reduce((sum, { c, cHi }) => sum + ticks(Math.max(c, cHi)), 0);
  if (total > TICKS_MAX) {
    return {
      kind: 'misfit',
      misfit: { path: ['tasks'], text: 'the costs together have more than 15 digits; round the table or take another unit' },
    };
  }
  const unit = fraction(10n ** BigInt(places));
  const tasks = set.tasks.map(
    (row): AnalysisTask => ({
      id: row.id,
      cost: ticks(row.c),
      period: ticks(row.t),
      deadline: ticks(row.d),
      blocking: ticks(row.b),
      jitter: ticks(row.j),
      isHigh: row.crit === 'HI',
      costHigh: row.crit === 'HI' ? ticks(row.cHi) : ticks(row.c),
      cores: row.cores,
      path: ticks(row.path),
      segment: ticks(row.segment),
      group: row.group,
    }),
  );
  const memory = set.memory ?? { rate: 1, guaranteed: 1, period: 1 };
  const perTick = (rate: number) => times(ratioOf(rate), { num: unit.den, den: unit.num });
  return {
    kind: 'set',
    set: {
      places,
      isRounded: bad !== undefined,
      tasks,
      order: set.order,
      tick: set.tick === undefined ? 1 : ticks(set.tick),
      cores: set.cores,
      servers: set.servers.map(({ id, q, t, jobs }) => ({
        id,
        budget: ticks(q),
        period: ticks(t),
        jobs: jobs.map(({ r, c }) => ({ release: ticks(r), cost: ticks(c) })),
      })),
      until: set.until === undefined ? undefined : ticks(set.until),
      chains: (set.chains ?? [{ id: 'chain', tasks: set.tasks.map(({ id }) => id), d: undefined }]).map(({ id, tasks: ids, d }) => ({
        id,
        tasks: ids,
        deadline: d === undefined ? undefined : ticks(d),
      })),
      via: set.via,
      traffic: set.tasks.map(({ id, bytes, budget }, index) => ({
        id,
        cost: tasks[index]?.cost ?? 0,
        deadline: tasks[index]?.deadline ?? 0,
        bytes: ratioOf(bytes),
        budget: budget === undefined ? undefined : ratioOf(budget),
      })),
      memory: { period: ticks(memory.period), rate: perTick(memory.rate), guaranteed: perTick(memory.guaranteed) },
    },
  };
}

/** Digits kept of the largest time: first so few that sums have room, then all that there are. */
const ROUNDED_DIGITS = [12, 15] as const;
/** What rounding may change of a time. */
const ROUNDED_RATIO_MAX = 1e-6;

/** The decimal places to which all times can be rounded; undefined when one of them is too small beside the largest. */
function roundedPlaces(stamps: readonly Stamp[]): number | undefined {
  const largest = stamps.reduce((most, { value }) => Math.max(most, value), 0);
  const whole = Math.floor(Math.log10(largest)) + 1;
  return ROUNDED_DIGITS.map((digits) => Math.max(0, digits - whole)).find((places) =>
    stamps.every(({ value }) => {
      const ticks = toNearestTicks(value, places, TICKS_MAX);
      return ticks !== undefined && Math.abs(ticks - value * 10 ** places) <= ROUNDED_RATIO_MAX * value * 10 ** places;
    }),
  );
}

interface Stamp {
  readonly value: number;
  readonly path: readonly (string | number)[];
}

/** Every time in the set, with the way to it. */
function timesOf(set: TaskSet): Stamp[] {
  const stamps: Stamp[] = [];
  const add = (value: number | undefined, ...path: (string | number)[]): void => {
    if (value !== undefined) stamps.push({ value, path });
  };
  for (const [index, row] of set.tasks.entries()) {
    for (const key of ['c', 't', 'd', 'b', 'j', 'cHi', 'path', 'segment'] as const) add(row[key], 'tasks', index, key);
  }
  for (const [index, { q, t, jobs }] of set.servers.entries()) {
    add(q, 'servers', index, 'q');
    add(t, 'servers', index, 't');
    for (const [job, { r, c }] of jobs.entries()) {
      add(r, 'servers', index, 'jobs', job, 'r');
      add(c, 'servers', index, 'jobs', job, 'c');
    }
  }
  for (const [index, { d }] of (set.chains ?? []).entries()) add(d, 'chains', index, 'd');
  add(set.tick, 'tick');
  add(set.until, 'until');
  add(set.memory?.period, 'memory', 'period');
  return stamps;
}
