import type { Turn } from '../../core/job.ts';
import { type Chip, compileOn, endsOf, type ModelSteps, type SimTurns } from './model-steps.ts';
import { extentOf, type SegmentCost, sumOf } from './segment-cost.ts';
import type { Split } from './split-cost.ts';

/** The cache is read as long as it is at the middle of so many tokens: a token of an 8B model then reads at most a thousandth too much or too little. */
const PAST_STEP = 64;

/** As long as a model is only tried out. */
const SHORTEST: Turn = { promptTokens: 1, tokensMax: 1 };

/**
 * The steps of a language model's jobs, turn by turn: the chunks of its prompt, the last of which gives the first token, then a step for each further token. The
 * cache lies in DRAM, so a turn that was interrupted has nothing to fetch.
 */
export function createTurnSteps(turns: SimTurns, profile: Chip, split?: Split): (turn: Turn | undefined) => ModelSteps {
  const extent = extentOf(turns.decodeLayers(0));
  const compiled = new Map<string, SegmentCost>();
  const compile = (key: string, layers: () => ReturnType<SimTurns['decodeLayers']>): SegmentCost => {
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const made = compileOn(layers(), extent, profile, split);
    compiled.set(key, made);
    return made;
  };
  const tokenAt = (past: number): SegmentCost => {
    const place = Math.floor(past / PAST_STEP);
    return compile(`token ${place}`, () => turns.decodeLayers(place * PAST_STEP + PAST_STEP / 2));
  };
  const chunkAt = (tokens: number, past: number): SegmentCost =>
    compile(`chunk ${tokens} ${past}`, () => turns.prefillLayers(tokens, past));
  const whole = tokenAt(0);
  const bursts = new Map<SegmentCost, Map<number, SegmentCost>>();
  const burstOf = (token: SegmentCost, tokens: number): SegmentCost => {
    const known = bursts.get(token) ?? new Map<number, SegmentCost>();
    bursts.set(token, known);
    const burst = known.get(tokens) ?? sumOf(Array.from({ length: tokens }, () => token));
    known.set(tokens, burst);
    return burst;
  };
  const shapes = new Map<string, ModelSteps>();
  const create = ({ promptTokens, tokensMax }: Turn): ModelSteps => {
    const chunks = Math.ceil(promptTokens / turns.chunkTokens);
    const stepCost = (step: number): SegmentCost => {
      if (step >= chunks) return tokenAt(promptTokens + step - chunks);
      const past = step * turns.chunkTokens;
      return chunkAt(Math.min(turns.chunkTokens, promptTokens - past), past);
    };
    const rows = new Map<string, SegmentCost>();
    return {
      whole,
      count: chunks + tokensMax - 1,
      cost(from, steps) {
        if (steps === 1) return stepCost(from);
        // Of a burst, all tokens are taken as its middle one.
        if (from >= chunks) return burstOf(stepCost(from + (steps >> 1)), steps);
        const key = `${from} ${steps}`;
        const known = rows.get(key) ?? sumOf(Array.from({ length: steps }, (_, index) => stepCost(from + index)));
        rows.set(key, known);
        return known;
      },
      ends: (from, steps) => endsOf(steps, (step) => stepCost(from + step), profile),
    };
  };
  return (turn = SHORTEST) => {
    const key = `${turn.promptTokens} ${turn.tokensMax}`;
    const known = shapes.get(key) ?? create(turn);
    shapes.set(key, known);
    return known;
  };
}
