import type { SocMode, SocProfile } from '../core/soc-profile.ts';
import { UsageError } from './exit-code.ts';

/** A power mode by name; the first without one. Errors: UsageError for a name that the profile does not have. */
export function modeOf(profile: SocProfile, id: string | undefined): SocMode {
  const mode = id === undefined ? profile.modes[0] : profile.modes.find((candidate) => candidate.id === id);
  if (mode !== undefined) return mode;
  throw new UsageError(`--mode ${id}: ${profile.id} has the modes ${profile.modes.map((candidate) => candidate.id).join(', ')}`);
}
