import type { RuntimeConfig } from '../config/runtime-config.ts';
import type { CoreId } from '../core/job.ts';
import type { StreamId } from '../core/stream.ts';
import type { Regulation } from '../devices/sim/byte-budget.ts';
import { budgetedBytesPerSecond, overbooked, regulationOf } from './bus-budget.ts';
import type { BusFit, ChipFit, MemoryFit, PowerFit } from './fit.ts';
import type { FitCosts } from './fit-costs.ts';
import type { Lane } from './fit-lanes.ts';
import { modelsUsed } from './models-used.ts';

/** What the cores of a chip share. */
export const chipFit = (config: RuntimeConfig, lanes: readonly Lane[], costs: FitCosts): ChipFit => ({
  bus: busOf(lanes, regulationOf(config), costs),
  memory: memoryOf(config, costs),
  outOfWindow: costs.outOfWindow,
  power: powerOf(lanes, costs),
});

function busOf(lanes: readonly Lane[], regulation: Regulation | undefined, { busBytesPerSecond }: FitCosts): BusFit | null {
  if (busBytesPerSecond === undefined || lanes.some(({ bytes }) => bytes === undefined)) return null;
  const mostOf = (stream: StreamId): number =>
    ((regulation?.bytesByStream.get(stream) ?? Number.POSITIVE_INFINITY) * 1e6) / (regulation?.periodUs ?? 1);
  const demandOf = (some: readonly Lane[]): number =>
    some.reduce((sum, { pipeline, bytes, jobsPerSecond }) => sum + Math.min((bytes ?? 0) * jobsPerSecond, mostOf(pipeline.id)), 0);
  const budgeted = budgetedBytesPerSecond(regulation);
  const guaranteed = demandOf(lanes.filter(({ isGuaranteed }) => isGuaranteed));
  const demanded = demandOf(lanes);
  return {
    usableBytesPerSecond: busBytesPerSecond,
    guaranteedBytesPerSecond: guaranteed,
    guaranteedRatio: guaranteed / busBytesPerSecond,
    demandedBytesPerSecond: demanded,
    demandedRatio: demanded / busBytesPerSecond,
    budgetedBytesPerSecond: budgeted,
    fits: guaranteed <= busBytesPerSecond && overbooked(budgeted, busBytesPerSecond) === undefined,
  };
}

function memoryOf(config: RuntimeConfig, { memoryBytes }: FitCosts): MemoryFit | null {
  if (memoryBytes === undefined) return null;
  const used = modelsUsed(config.pipelines);
  const neededBytes = config.models.reduce((sum, model) => sum + (used.has(model.id) ? model.memoryBytes : 0), 0);
  return { neededBytes, haveBytes: memoryBytes, fits: neededBytes <= memoryBytes };
}

/**
 * The simulator leaves the clock alone while no time t takes more than the mode's power and half a burst. That is so where all cores at their hungriest take less; or
 * else, where in t each stream is worked on for at most as many jobs as come in t, and those already there.
 */
function powerOf(lanes: readonly Lane[], { power }: FitCosts): PowerFit | null {
  if (power === undefined || lanes.some(({ joules }) => joules === undefined)) return null;
  const { idleW, modeW, burstJoules, thermal } = power;
  const peaks = new Map<CoreId, number>();
  for (const { cores, peakW = 0 } of lanes) for (const core of cores) peaks.set(core, Math.max(peaks.get(core) ?? 0, peakW));
  const peakW = [...peaks.values()].reduce((sum, watts) => sum + watts, idleW);
  const meanW = lanes.reduce((sum, { joules = 0, jobsPerSecond }) => sum + joules * jobsPerSecond, idleW);
  const atOnceJoules = lanes.reduce((sum, { joules = 0, jobsAtOnce }) => sum + joules * jobsAtOnce, 0);
  const { ambientC, dieToCaseKPerW, caseToAmbientKPerW, dieJoulesPerK, throttleC } = thermal;
  const settlesAt = (watts: number): number => ambientC + watts * (dieToCaseKPerW + caseToAmbientKPerW);
  const dieC = Math.min(settlesAt(peakW), settlesAt(meanW) + atOnceJoules / dieJoulesPerK);
  const isWithin = peakW <= modeW || (meanW <= modeW && atOnceJoules <= burstJoules);
  return { demandedW: Math.min(peakW, meanW), peakW, modeW, dieC, throttleC, fits: isWithin && dieC < throttleC };
}
