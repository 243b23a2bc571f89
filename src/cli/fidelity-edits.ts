import type { ConstantName } from '../bench/fidelity/constants.ts';
import type { FittedPart } from '../bench/fidelity/fit-profiles.ts';
import type { SocEdit, SocSource } from '../config/edit-soc.ts';
import type { SocProfile } from '../core/soc-profile.ts';

/** Where each constant stands in a profile, and its unit there. */
export const CONSTANT_KEYS: Readonly<Record<ConstantName, { readonly key: string; readonly scale: number; readonly unit: string }>> = {
  efficiencyRatio: { key: 'dram.efficiencyRatio', scale: 1, unit: '' },
  layerUs: { key: 'core.layerUs', scale: 1, unit: ' us' },
  splitUs: { key: 'core.splitUs', scale: 1, unit: ' us' },
  computeRatio: { key: 'core.computeRatio', scale: 1, unit: '' },
  vectorOpsPerSecond: { key: 'core.vectorGops', scale: 1e-9, unit: ' Gop/s' },
  dispatchUs: { key: 'core.dispatchUs', scale: 1, unit: ' us' },
  floatDispatchUs: { key: 'core.floatDispatchUs', scale: 1, unit: ' us' },
  promptRatio: { key: 'core.promptRatio', scale: 1, unit: '' },
  layerShareRatio: { key: 'core.layerShareRatio', scale: 1, unit: '' },
};

/** What is put into one profile. */
export interface ProfileEdits {
  readonly edits: readonly SocEdit[];
  readonly sources: readonly SocSource[];
}

const threeDigits = (value: number): number => Number(value.toPrecision(3));

/** By profile: what was fitted, and in those that take a figure from a fitted one (`as` of a source) that figure anew. Profiles without a change are left out. */
export function fidelityEdits(parts: readonly FittedPart[], profiles: readonly SocProfile[]): ReadonlyMap<string, ProfileEdits> {
  const fitted = new Map(parts.map((part) => [part.profile, ownEdits(part)]));
  const all = new Map<string, ProfileEdits>();
  for (const { id, origins } of profiles) {
    const own = fitted.get(id) ?? { edits: [], sources: [] };
    const taken = origins.flatMap(({ key, as, from }): SocEdit[] => {
      const base = as === undefined ? undefined : fitted.get(as.profile)?.edits.find((edit) => edit.key === key);
      if (as === undefined || base === undefined || own.edits.some((edit) => edit.key === key)) return [];
      return [{ key, value: threeDigits(base.value * as.times), from }];
    });
    const edits = [...own.edits, ...taken];
    if (edits.length > 0) all.set(id, { edits, sources: own.sources });
  }
  return all;
}

function ownEdits({ constants }: FittedPart): ProfileEdits {
  const edits = constants.map(({ name, fitted, from }): SocEdit => {
    const { key, scale } = CONSTANT_KEYS[name];
    return { key, value: threeDigits(fitted * scale), from: `fit-${from}` };
  });
  const texts = new Map(constants.map(({ from, source }) => [`fit-${from}`, source]));
  return { edits, sources: [...texts].map(([name, text]) => ({ name, text, confidence: 'derived' })) };
}
