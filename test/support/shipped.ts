import { resolve } from 'node:path';
import { createConfigFiles } from '../../src/config/config-files.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { loadSoc } from '../../src/config/load-soc.ts';
import type { RuntimeConfig } from '../../src/config/runtime-config.ts';
import type { SocMode, SocProfile } from '../../src/core/soc-profile.ts';
import { createLanguageDirectory } from '../../src/runtime/language-directory.ts';
import { modelsUsed } from '../../src/runtime/models-used.ts';
import { costsOf, type ModelCosts, storedAsOn } from '../../src/runtime/simulate-costs.ts';

const CONFIGS = resolve(import.meta.dirname, '../../configs');

/** A profile of configs/soc. */
export const shippedSoc = (id: string): SocProfile => loadSoc(`${CONFIGS}/soc/${id}.yaml`, { files: createConfigFiles() });

const languages = createLanguageDirectory();

/** A configuration of configs/. */
export const shippedConfig = (id: string): RuntimeConfig =>
  loadConfig(`${CONFIGS}/${id}.yaml`, { env: {}, files: createConfigFiles(), languages });

/** By default the first. */
export function modeOf(profile: SocProfile, id?: string): SocMode {
  const mode = profile.modes.find((candidate) => id === undefined || candidate.id === id);
  if (mode === undefined) throw new Error(`${profile.id} has no mode ${id}`);
  return mode;
}

/** Of every model that a pipeline uses. */
export function usedCosts(config: RuntimeConfig, profile: SocProfile): ModelCosts[] {
  const used = modelsUsed(config.pipelines);
  return config.models.filter(({ id }) => used.has(id)).map((model) => costsOf(model, storedAsOn(profile)));
}
