import type { RuntimeConfig } from '../config/runtime-config.ts';
import type { CoreId } from '../core/job.ts';
import { overbooked } from './bus-budget.ts';
import type { ChipFit, StreamFit } from './fit.ts';
import type { FitCosts } from './fit-costs.ts';

/** The factor on all costs, and whether it and those of single streams were looked for with work enough. */
export interface FactorOnAll {
  readonly factor: number | null;
  readonly isComplete: boolean;
}

/** What to change first where a core, or several that gangs tie together, have too much to do. */
export function adviceFor(
  cores: readonly CoreId[],
  streams: readonly StreamFit[],
  { factor: factorNeeded, isComplete }: FactorOnAll,
  costs: FitCosts,
): string {
  const best = streams.filter((stream) => stream.costFactorMax !== null).sort((a, b) => (b.costFactorMax ?? 0) - (a.costFactorMax ?? 0))[0];
  const late = streams.filter(({ assurance }) => assurance === 'none').map(({ id }) => id);
  const lead = `${cores.length === 1 ? 'core' : 'cores'} ${cores.join(', ')}: no bound within the deadline for ${late.join(', ')}`;
  if (best?.costFactorMax !== null && best !== undefined) {
    const aim = costs.say(best.costUs * best.costFactorMax);
    return `${lead}; first make ${best.id} cheaper, to ${aim} (factor ${best.costFactorMax}), or move it to another core`;
  }
  if (factorNeeded !== null)
    return `${lead}; no stream alone is to blame: all costs must come down to ${Math.floor(factorNeeded * 100)} %, or one of the streams must go to another core`;
  if (!isComplete) return `${lead}; by how much costs must come down was not computed`;
  return `${lead}; no lower cost helps: give a longer deadline, or take streams away`;
}

/** Where a server does not give enough for the first token of the longest prompt. */
export function adviceForTurns({ id, responseUs, deadlineUs, reserve }: StreamFit): string {
  const { server = '', budgetUs = 0, periodUs = 0 } = reserve ?? {};
  const ms = (us: number | null): string => three((us ?? 0) / 1000);
  return `${id}: its first token may take ${ms(responseUs)} ms of its ${ms(deadlineUs)} ms, with ${ms(budgetUs)} ms in every ${ms(periodUs)} ms; give server ${server} more, or ${id} shorter prompts or a longer deadline`;
}

export function adviceForPolicy({ scheduler: { policy, tuning } }: RuntimeConfig): string {
  const name = tuning.victim === 'value' ? `${policy} with victim: value` : policy;
  return `policy ${name}: no bound is known for its order of jobs, so nothing is proven; take coxswain, edf or fixed-priority, or try it with coxswain sim`;
}

/** What to change first where the chip as a whole has too little. */
export function adviceForChip({ bus, memory, outOfWindow, power }: ChipFit, streams: readonly StreamFit[]): string[] {
  const advice: string[] = [];
  const overbooking = bus === null ? undefined : overbooked(bus.budgetedBytesPerSecond, bus.usableBytesPerSecond);
  if (overbooking !== undefined) advice.push(overbooking);
  if (bus !== null && bus.guaranteedBytesPerSecond > bus.usableBytesPerSecond) {
    const greediest = streams
      .filter(({ assurance }) => assurance !== 'unguarded')
      .reduce((most, stream) => ((stream.busBytesPerSecond ?? 0) > (most.busBytesPerSecond ?? 0) ? stream : most));
    const have = `${gigabytes(bus.usableBytesPerSecond)} GB/s that the bus carries for sure`;
    advice.push(
      `bus: guaranteed streams move ${gigabytes(bus.guaranteedBytesPerSecond)} GB/s, more than the ${have}; first make ${greediest.id} move less than its ${gigabytes(greediest.busBytesPerSecond ?? 0)} GB/s: fewer bits, fewer frames, a smaller model`,
    );
  }
  if (memory?.fits === false)
    advice.push(
      `memory: the models need ${gigabytes(memory.neededBytes)} GB, and there are ${gigabytes(memory.haveBytes)} GB; take one away, or fewer bits`,
    );
  for (const { model, core, neededBytes, haveBytes } of outOfWindow)
    advice.push(
      `address window: ${model} needs ${gigabytes(neededBytes)} GB at once, and core ${core} can address ${gigabytes(haveBytes)} GB; take fewer bits, a smaller model, a shorter context or another chip`,
    );
  if (power?.fits === false) {
    const limits = `the mode allows ${three(power.modeW)} W and the clock is lowered at ${three(power.throttleC)} degC`;
    advice.push(
      `power: all streams may take ${three(power.demandedW)} W, ${three(power.peakW)} W at once, and bring the die to ${three(power.dieC)} degC, and ${limits}, which leaves no bound; take a mode with more power, fewer frames or smaller models`,
    );
  }
  return advice;
}

const three = (value: number): string => String(Number(value.toPrecision(3)));
const gigabytes = (bytes: number): string => three(bytes / 1e9);
