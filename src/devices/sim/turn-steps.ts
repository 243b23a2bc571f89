import type { Turn } from '../../core/job.ts';
import type { LayerCost } from '../../core/layer-cost.ts';
import { type Chip, compileOn, endsOf, type ModelSteps, type SimTurns } from './model-steps.ts';
import { extentOf, type SegmentCost, sumOf } from './segment-cost.ts';
import type { Split } from './split-cost.ts';

/** The cache is read as long as it is at the middle of so many tokens: a token of an 8B model then reads at most a thousandth too much or too little. */
export const PAST_STEP = 64;

/** What is kept of each kind, before it is forgotten as a whole: some 5 kB for a model of 32 layers. */
const KEPT_MAX = 2_048;

/** As long as a model is only tried out. */
const SHORTEST: Turn = { promptTokens: 1, tokensMax: 1 };

/**
 * The steps of a language model's jobs, turn by turn: the chunks of its prompt, the last of which gives the first token, then a step for each further token. The
 * cache lies in DRAM, so a turn that was interrupted has nothing to fetch.
 */
export function createTurnSteps(turns: SimTurns, profile: Chip, split?: Split): (turn: Turn | undefined) => ModelSteps {
  const { chunkTokens } = turns;
  const extent = extentOf(turns.decodeLayers(0));
  const compile = (layers: readonly LayerCost[]): SegmentCost => compileOn(layers, extent, profile, split);
  const tokens = new Kept<SegmentCost>();
  const chunks = new Kept<SegmentCost>();
  const rows = new Kept<SegmentCost>();
  const known = new Kept<ModelSteps>();

  const placeOf = (past: number): number => Math.floor(past / PAST_STEP);
  const middleOf = (place: number): number => place * PAST_STEP + PAST_STEP / 2;
  const tokenAt = (place: number): SegmentCost => tokens.get(String(place), () => compile(turns.decodeLayers(middleOf(place))));
  const chunkAt = (count: number, past: number): SegmentCost => {
    const from = past === 0 ? 0 : middleOf(placeOf(past));
    return chunks.get(`${count} ${from}`, () => compile(turns.prefillLayers(count, from)));
  };
  const whole = tokenAt(0);

  const create = ({ promptTokens, pastTokens = 0, tokensMax }: Turn): ModelSteps => {
    const chunkCount = Math.ceil(promptTokens / chunkTokens);
    const contextAt = (step: number): number => pastTokens + promptTokens + step - chunkCount;
    const stepCost = (step: number): SegmentCost => {
      if (step >= chunkCount) return tokenAt(placeOf(contextAt(step)));
      const read = step * chunkTokens;
      return chunkAt(Math.min(chunkTokens, promptTokens - read), pastTokens + read);
    };
    const burstAt = (from: number, steps: number): SegmentCost => {
      // All tokens of a burst are taken as its middle one.
      const place = placeOf(contextAt(from + (steps >> 1)));
      return rows.get(`${place} ${steps}`, () => sumOf(Array.from({ length: steps }, () => tokenAt(place))));
    };
    return {
      whole,
      count: chunkCount + tokensMax - 1,
      cost(from, steps) {
        if (steps === 1) return stepCost(from);
        if (from >= chunkCount) return burstAt(from, steps);
        return sumOf(Array.from({ length: steps }, (_, index) => stepCost(from + index)));
      },
      ends: (from, steps) => endsOf(steps, (step) => stepCost(from + step), profile),
    };
  };
  return (turn = SHORTEST) => known.get(`${turn.promptTokens} ${turn.pastTokens ?? 0} ${turn.tokensMax}`, () => create(turn));
}

/** Made when it is first asked for, and kept as long as there are not too many. */
class Kept<T> {
  readonly #items = new Map<string, T>();

  get(key: string, make: () => T): T {
    const known = this.#items.get(key);
    if (known !== undefined) return known;
    if (this.#items.size >= KEPT_MAX) this.#items.clear();
    const made = make();
    this.#items.set(key, made);
    return made;
  }
}
