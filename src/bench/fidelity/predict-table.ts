import type { SocProfile } from '../../core/soc-profile.ts';
import { requireCores, tooManyCores } from './core-count.ts';
import { requireMeasurements } from './measured-table.ts';
import { type NamedProfile, profileOfPart } from './part-name.ts';
import { type ErrorSummary, type PredictedRow, predictedRow, summariesOf, type UnpredictedRow, unpredicted } from './predicted-row.ts';
import { type Facts, prepareRow } from './prepared-row.ts';

export interface TablePrediction {
  readonly profile: string;
  readonly rows: readonly PredictedRow[];
  readonly unpredicted: readonly UnpredictedRow[];
  readonly summaries: readonly ErrorSummary[];
}

export interface PredictInputs {
  readonly profile: SocProfile;
  readonly file: string;
  readonly text: string;
  readonly facts: Facts;
  /** The profiles that come with Coxswain, to tell rows of other chips. */
  readonly known: readonly NamedProfile[];
}

/**
 * Every row of a table on this profile, as it is. Rows that name a chip of which another profile is known are left to that; rows that name one that nobody knows are
 * taken as of this, but for those that name more cores than it has. Errors: CONFIG_INVALID, also for rows of this chip that do.
 */
export function predictTable({ profile, file, text, facts, known }: PredictInputs): TablePrediction {
  const rows: PredictedRow[] = [];
  const others: UnpredictedRow[] = [];
  const candidates = [profile, ...known.filter(({ id }) => id !== profile.id)];
  const measurements = requireMeasurements(file, text);
  requireCores(
    measurements.filter(({ part }) => profileOfPart(part, candidates)?.id === profile.id),
    profile,
  );
  for (const measurement of measurements) {
    const owner = profileOfPart(measurement.part, candidates);
    if (owner !== undefined && owner.id !== profile.id) {
      others.push(unpredicted({ measurement, why: `it is of another chip; its profile is ${owner.id}` }));
      continue;
    }
    const excess = tooManyCores(measurement, profile);
    const prepared = excess === undefined ? prepareRow(measurement, facts) : { measurement, why: excess };
    if ('why' in prepared) others.push(unpredicted(prepared));
    else
      rows.push(
        predictedRow(prepared, profile, owner === undefined ? `no profile is known as ${JSON.stringify(measurement.part)}` : undefined),
      );
  }
  return { profile: profile.id, rows, unpredicted: others, summaries: summariesOf(rows, () => profile.id) };
}
