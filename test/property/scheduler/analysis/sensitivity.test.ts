import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { boundCore, type CoreLoad, type CoreTask } from '../../../../src/scheduler/analysis/core-bound.ts';
import { factorOfAll, largestFactor } from '../../../../src/scheduler/analysis/sensitivity.ts';
import { plenty, setCount } from './analysis-task.ts';

const PERIODS_MS = [10, 20, 33, 40, 50, 66, 100, 200, 1000];

function randomTask(random: Prng, id: string, share: number, isPlain: boolean): CoreTask {
  const period = 1000 * (PERIODS_MS[random.integer(0, PERIODS_MS.length - 1)] ?? 10);
  const run = Math.max(50, Math.floor((period * share * random.integer(0, 1000)) / 1000));
  const isCut = !isPlain && random.chance(0.3);
  return {
    id,
    rank: random.integer(0, 2),
    run,
    cost: run * (!isPlain && random.chance(0.15) ? 2 : 1),
    segment: isCut ? Math.ceil(run / 3) : run,
    last: isCut ? Math.ceil(run / 4) : run,
    period,
    deadline: Math.max(run, Math.floor((period * random.integer(300, 1500)) / 1000)),
    early: random.chance(0.3) ? random.integer(0, 4_000) : 0,
    jitter: !isPlain && random.chance(0.3) ? random.integer(0, Math.floor(period / 2)) : 0,
  };
}

/** Also such as are in time only by being held for one another, which takes plain runs and no guests. */
function randomLoad(random: Prng): CoreLoad {
  const isPlain = random.chance(0.4);
  const count = random.integer(1, 5);
  const share = random.integer(1, 9) / 8 / count;
  const different = Array.from({ length: count }, (_, index) => randomTask(random, `s${index}`, share, isPlain));
  const guaranteed = random.chance(0.3) ? different.flatMap((task) => [task, { ...task, id: `${task.id}-twin` }]) : different;
  const guests =
    isPlain || random.chance(0.6)
      ? []
      : [randomTask(random, 'guest', share, false), { ...randomTask(random, 'over', share, false), partOf: 's0' }];
  const rest = random.chance(0.5) ? [{ id: 'rest', segment: random.integer(100, 60_000) }] : [];
  return { guaranteed, guests, rest, doesLookAhead: random.chance(0.7) };
}

/** Undefined where the whole proof takes too much work, as it may near a load of 1. */
function fitsWith(load: CoreLoad, id: string | undefined, factor: number): boolean | undefined {
  const scale = (cost: number): number => Math.ceil(cost * factor);
  const task = (one: CoreTask): CoreTask =>
    id !== undefined && one.id !== id
      ? one
      : {
          ...one,
          run: scale(one.run),
          segment: scale(one.segment),
          last: scale(one.last),
          cost: one.cost === one.run ? scale(one.run) : scale(one.cost),
        };
  const scaled: CoreLoad = {
    ...load,
    guaranteed: load.guaranteed.map(task),
    guests: load.guests.map(task),
    rest: load.rest.map((one) => (id === undefined ? { ...one, segment: scale(one.segment) } : one)),
  };
  const bound = plenty();
  const { assurance } = boundCore(scaled, bound);
  return bound.isSpent ? undefined : assurance !== 'none';
}

describe('sensitivity', () => {
  it('gives the factor with which boundCore still finds a bound for everybody, and with a hundredth more it does not', () => {
    const random = new Prng('sensitivity');
    let unproven = 0;
    const seen = { beyond64: 0, above1: 0, below1: 0, none: 0 };
    for (let index = 0; index < setCount(150); index += 1) {
      const load = randomLoad(random);
      for (const id of [...load.guaranteed.map((task) => task.id), undefined]) {
        const factor = id === undefined ? factorOfAll(load, plenty()) : largestFactor(load, id, plenty());
        const [at, above] = factor === null ? [true, 0.01] : [fitsWith(load, id, factor), (Math.round(factor * 100) + 1) / 100];
        expect({ load, id, factor, isTooLarge: at === false, isTooSmall: fitsWith(load, id, above) === true }).toMatchObject({
          isTooLarge: false,
          isTooSmall: false,
        });
        if (at === undefined) unproven += 1;
        seen[factor === null ? 'none' : factor > 64 ? 'beyond64' : factor >= 1 ? 'above1' : 'below1'] += 1;
      }
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
    expect(unproven).toBeLessThan(setCount(5));
  });
});
