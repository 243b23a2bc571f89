import { type CsvProblem, csvInvalid, decimalOf, quoted, readCsv } from '../../core/csv-table.ts';

/** One model of a usage scenario. */
export interface ScenarioModel {
  readonly model: string;
  readonly fps: number;
  /** The model whose result of the same frame it needs. */
  readonly after: string | undefined;
  /** That a frame comes at all, 0..1. */
  readonly probability: number;
}

/** Models in alphabetical order, as the reference takes them. */
export interface Scenario {
  readonly name: string;
  readonly models: readonly ScenarioModel[];
}

const COLUMNS = ['scenario', 'model', 'fps', 'after', 'probability'] as const;

/** Every frame comes, so that one run says all. */
export const isDeterministic = (scenario: Scenario): boolean => scenario.models.every(({ probability }) => probability === 1);

/** @param text of a CSV file with one row per scenario and model. Errors: CONFIG_INVALID. */
export function readScenarios(file: string, text: string): Scenario[] {
  const problems: CsvProblem[] = [];
  const byName = new Map<string, { readonly model: ScenarioModel; readonly line: number }[]>();
  for (const { line, cells } of readCsv(file, text, COLUMNS)) {
    const { scenario = '', model = '', after = '' } = cells;
    const fps = decimalOf(cells.fps ?? '');
    const probability = decimalOf(cells.probability ?? '');
    if (scenario === '' || model === '') problems.push({ line, text: 'scenario and model must not be empty' });
    if (fps === undefined || !Number.isInteger(fps) || fps < 2 || fps > 1_000) {
      problems.push({ line, text: `fps is ${quoted(cells.fps ?? '')}, and must be a whole number from 2 to 1000` });
    }
    if (probability === undefined || probability < 0 || probability > 1) {
      problems.push({ line, text: `probability is ${quoted(cells.probability ?? '')}, and must be 0 to 1` });
    }
    const models = byName.get(scenario) ?? [];
    if (models.some((row) => row.model.model === model))
      problems.push({ line, text: `${quoted(model)} is in ${quoted(scenario)} already` });
    models.push({ line, model: { model, fps: fps ?? 2, after: after === '' ? undefined : after, probability: probability ?? 1 } });
    byName.set(scenario, models);
  }
  for (const models of byName.values()) problems.push(...dependencyProblems(models));
  if (problems.length > 0) throw csvInvalid(file, problems);
  return [...byName].map(([name, rows]) => ({
    name,
    models: rows.map(({ model }) => model).sort((a, b) => (a.model < b.model ? -1 : 1)),
  }));
}

/** A frame needs the same frame of another model of its scenario, so both have one rate; and no model needs itself, however far about. */
function dependencyProblems(rows: readonly { readonly model: ScenarioModel; readonly line: number }[]): CsvProblem[] {
  const problems: CsvProblem[] = [];
  const byModel = new Map(rows.map(({ model }) => [model.model, model]));
  for (const { model, line } of rows) {
    if (model.after === undefined) continue;
    const before = byModel.get(model.after);
    if (before === undefined) problems.push({ line, text: `after is ${quoted(model.after)}, which is no model of this scenario` });
    else if (before.fps !== model.fps)
      problems.push({ line, text: `has ${model.fps} fps, and must have the ${before.fps} of ${quoted(model.after)}` });
    let at: ScenarioModel | undefined = before;
    for (let steps = 0; at !== undefined && steps <= rows.length; steps += 1) {
      if (at === model) {
        problems.push({ line, text: `${quoted(model.model)} comes after itself` });
        break;
      }
      at = at.after === undefined ? undefined : byModel.get(at.after);
    }
  }
  return problems;
}
