import { firstKindCountOf, type SocMode, type SocProfile, usableBytesPerSecond } from '../../core/soc-profile.ts';
import { busLevel, flowUs } from '../../devices/sim/bus-share.ts';
import { columnCost } from '../../devices/sim/column-cost.ts';
import { compileSegment, doLayersStay, extentOf } from '../../devices/sim/segment-cost.ts';
import { aloneUs } from '../../devices/sim/sim-device.ts';
import type { PreparedRow } from './prepared-row.ts';

/** A mode of a profile for a row, and what is to be said about the choice, as a clause. */
export interface ChosenMode {
  readonly mode: SocMode;
  readonly note: string | undefined;
}

/** Watts of a mode and of a row are the same when they differ by less. */
const WATTS_TOLERANCE = 0.1;

/** By its watts, else by its bandwidth, else by its name; the first one where a row says nothing that fits. */
export function modeFor(profile: SocProfile, text: string): ChosenMode {
  const [first] = profile.modes;
  if (first === undefined) throw new RangeError('a profile has a mode');
  if (text.trim() === '') return { mode: first, note: undefined };
  const watts = Number(/(\d+(?:\.\d+)?)\s*W\b/i.exec(text)?.[1] ?? Number.NaN);
  const gigabytes = Number(/(\d+(?:\.\d+)?)\s*GB\/s/i.exec(text)?.[1] ?? Number.NaN);
  const isNear = (value: number, wanted: number): boolean => Math.abs(value / wanted - 1) <= WATTS_TOLERANCE;
  const bandwidthOf = (mode: SocMode): number => (profile.dram.bytesPerSecond * mode.bandwidthRatio) / 1e9;
  const words = text.toLowerCase().split(/[^a-z]+/);
  const found =
    profile.modes.find((mode) => isNear(mode.watts, watts)) ??
    profile.modes.find((mode) => isNear(bandwidthOf(mode), gigabytes)) ??
    profile.modes.find((mode) => words.includes(mode.id.toLowerCase().replace(/[^a-z].*$/, '')));
  if (found === undefined) return { mode: first, note: `no mode of the profile is ${JSON.stringify(text)}; ${first.id} taken` };
  if (Number.isNaN(gigabytes) || isNear(bandwidthOf(found), gigabytes)) return { mode: found, note: undefined };
  const peak = profile.dram.bytesPerSecond / 1e9;
  const bandwidthRatio = Math.min(1, gigabytes / peak);
  const bound = gigabytes > peak ? `, of which the bus carries ${Number(peak.toPrecision(3))}` : '';
  return { mode: { ...found, bandwidthRatio }, note: `mode ${found.id} with ${gigabytes} GB/s${bound}` };
}

/** In the unit of the row; of prompts all up to the first token. A language model is divided over all cores; networks run on one each. */
export function predictRow(row: PreparedRow, profile: SocProfile, mode: SocMode): number {
  const isLanguage = row.kind === 'decode' || row.kind === 'prefill';
  const us = isLanguage ? aloneUs(columnCost(row.layers, profile), profile, mode) : runUs(row, profile, mode);
  if (row.measurement.unit === 'ms') return us / 1000;
  return (row.perRun * row.cores * wholeChipFactor(row, profile) * 1e6) / us;
}

/** Rates are measured with frames one behind the other: where a network stays on the chip, one frame is given to it while it works on the one before. */
const isStreamed = ({ measurement, layers }: PreparedRow, profile: SocProfile): boolean =>
  measurement.unit === 'frames/s' && doLayersStay(extentOf(layers), profile, profile.localMemoryBytes / profile.coresPerCluster);

/** One run while as many cores as the row names do the same. */
function runUs(row: PreparedRow, profile: SocProfile, mode: SocMode): number {
  const cost = compileSegment(
    row.layers,
    isStreamed(row, profile) ? { ...profile, core: { ...profile.core, dispatchUs: 0, floatDispatchUs: 0 } } : profile,
  );
  if (row.cores === 1) return aloneUs(cost, profile, mode);
  const flow = { cost, speed: mode.clockRatio, drag: 1 };
  const capacity = (usableBytesPerSecond(profile) * mode.bandwidthRatio) / 1e6;
  return flowUs(flow, busLevel(Array(row.cores).fill(flow), capacity));
}

/** Other engines take frames in proportion to their rate. */
function wholeChipFactor(row: PreparedRow, profile: SocProfile): number {
  const own = (profile.core.opsPerSecond.int8 ?? 0) * firstKindCountOf(profile);
  return row.isWholeChip && own > 0 ? 1 + profile.besideOpsPerSecond / own : 1;
}
