import { type Fidelity, type FittedConstant, fitProfiles } from '../../bench/fidelity/fit-profiles.ts';
import { readLanguageFacts } from '../../bench/fidelity/language-facts.ts';
import { readNetworkLayers } from '../../bench/fidelity/listed-layers.ts';
import { measurementsOf } from '../../bench/fidelity/measured-table.ts';
import { readNetworkFacts } from '../../bench/fidelity/network-facts.ts';
import { predictTable } from '../../bench/fidelity/predict-table.ts';
import { type ErrorSummary, memoryText, type PredictedRow, type UnpredictedRow } from '../../bench/fidelity/predicted-row.ts';
import type { Facts } from '../../bench/fidelity/prepared-row.ts';
import type { SocEdit, SocSource } from '../../config/edit-soc.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { SocProfile } from '../../core/soc-profile.ts';
import type { CliDeps } from '../cli-deps.ts';
import { EXIT } from '../exit-code.ts';
import { CONSTANT_KEYS, fidelityEdits } from '../fidelity-edits.ts';
import { type Cell, type Column, renderGrid } from '../grid.ts';
import { choosePaint, type Paint } from '../paint.ts';
import { escapeText } from '../terminal-text.ts';

export interface BenchFidelityOptions {
  readonly folder: string;
  /** Put what was fitted into the profiles. */
  readonly doWrite: boolean;
  readonly isJson: boolean;
}

export interface BenchPredictOptions {
  readonly soc: string;
  readonly rows: string;
  readonly isJson: boolean;
}

export interface FidelityDeps extends Pick<CliDeps, 'out' | 'err' | 'env'> {
  /** Errors: FILE_UNREADABLE. */
  readonly readText: (file: string) => string;
  /** Errors: FILE_UNWRITABLE. */
  readonly writeText: (file: string, text: string) => void;
  /** Paths of the CSV files of a folder, sorted. Errors: FILE_UNREADABLE. */
  readonly tablesIn: (folder: string) => readonly string[];
  readonly loadSoc: (soc: string) => SocProfile;
  /** Every shipped profile, and where it lies. */
  readonly socs: () => readonly SocProfile[];
  readonly socPath: (id: string) => string;
  readonly editSoc: (text: string, edits: readonly SocEdit[], sources: readonly SocSource[]) => string;
  /** The files of configs/fidelity that come with Coxswain. */
  readonly factFiles: { readonly languageModels: string; readonly networks: string; readonly networkLayers: string };
}

/** Cells of a line that nobody has a terminal for. */
const WIDE = 240;
const widthOf = (out: CliDeps['out']): number => (out.isTty ? out.columns() : WIDE);

/**
 * Fits the cost model's constants on tables of measurements and says how far off it then is. 0: done; 1: no row could be predicted. Errors: CONFIG_INVALID,
 * FILE_UNREADABLE, FILE_UNWRITABLE.
 */
export function benchFidelity({ folder, doWrite, isJson }: BenchFidelityOptions, deps: FidelityDeps): number {
  const { out, err } = deps;
  const files = deps.tablesIn(folder);
  const read = files.map((file) => ({ file, rows: measurementsOf(file, deps.readText(file)) }));
  const measurements = read.flatMap(({ rows }) => rows ?? []);
  if (measurements.length === 0)
    throw new CoxswainError('CONFIG_INVALID', `${folder}: none of its ${files.length} CSV files is a table of measurements`);
  const socs = deps.socs();
  const fidelity = fitProfiles(measurements, socs, factsOf(deps), (profile, done, of) => {
    if (err.isTty) err.write(`\r${profile}: fit ${done + 1} of ${of}\u001b[K`);
  });
  if (err.isTty) err.write('\r\u001b[K');
  const left = read.filter(({ rows }) => rows === undefined).map(({ file }) => file);
  if (isJson) out.write(`${JSON.stringify({ ...fidelity, otherFiles: left })}\n`);
  else out.write(`${fidelityLines(fidelity, left, widthOf(out), choosePaint(out.isTty, deps.env)).join('\n')}\n`);
  if (doWrite)
    for (const [profile, { edits, sources }] of fidelityEdits(fidelity.parts, socs)) {
      const file = deps.socPath(profile);
      deps.writeText(file, deps.editSoc(deps.readText(file), edits, sources));
    }
  return fidelity.parts.some(({ rows }) => rows.length > 0) ? EXIT.fine : EXIT.findings;
}

/** Predicts the rows of one table on one profile as it is. 0: done; 1: no row could be predicted. Errors: CONFIG_INVALID, FILE_UNREADABLE, UsageError. */
export function benchPredict({ soc, rows: file, isJson }: BenchPredictOptions, deps: FidelityDeps): number {
  const { out } = deps;
  const profile = deps.loadSoc(soc);
  const made = predictTable({ profile, file, text: deps.readText(file), facts: factsOf(deps), known: deps.socs() });
  if (isJson) out.write(`${JSON.stringify({ ...made, constants: originsOf(profile) })}\n`);
  else {
    const paint = choosePaint(out.isTty, deps.env);
    const lines = [
      paint(`${escapeText(profile.name)} (${profile.id})`, 'bold'),
      ...originsOf(profile).map(({ key, source, confidence }) => `${key}: ${confidence}, ${escapeText(source)}`),
      '',
      ...rowLines(made.rows, widthOf(out), paint),
      '',
      ...summaryLines(made.summaries, () => originsOf(profile).some(({ key }) => key === CONSTANT_KEYS.promptRatio.key), paint),
      ...doubtLines(made.rows, paint),
      ...unpredictedLines(made.unpredicted),
    ];
    out.write(`${lines.join('\n')}\n`);
  }
  return made.rows.length > 0 ? EXIT.fine : EXIT.findings;
}

const factsOf = ({ readText, factFiles }: FidelityDeps): Facts => ({
  languageModels: readLanguageFacts(factFiles.languageModels, readText(factFiles.languageModels)),
  networks: readNetworkFacts(factFiles.networks, readText(factFiles.networks)),
  networkLayers: readNetworkLayers(factFiles.networkLayers, readText(factFiles.networkLayers)),
});

const three = (value: number): string => String(Number(value.toPrecision(3)));
const signed = (ratio: number | undefined): string =>
  ratio === undefined ? '-' : `${ratio < 0 ? '-' : '+'}${Math.abs(ratio * 100).toFixed(Math.abs(ratio) < 0.0995 ? 1 : 0)} %`;
const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`;

/** How the constants that rows depend on came about, where the profile says so. */
const originsOf = (profile: SocProfile) =>
  profile.origins.filter(({ key }) => Object.values(CONSTANT_KEYS).some((known) => known.key === key));

function fidelityLines(fidelity: Fidelity, left: readonly string[], width: number, paint: Paint): string[] {
  return [
    ...fidelity.parts.flatMap(({ profile, constants, rows }) => [
      paint(profile, 'bold'),
      ...constants.map((constant) => constantLine(constant)),
      ...(constants.length === 0 ? ['no row tells anything about its constants: predicted as the profile is'] : []),
      '',
      ...rowLines(rows, width, paint),
      '',
    ]),
    ...summaryLines(
      fidelity.summaries,
      (part) => fidelity.parts.some(({ profile, constants }) => profile === part && constants.some(({ name }) => name === 'promptRatio')),
      paint,
    ),
    ...doubtLines(
      fidelity.parts.flatMap(({ rows }) => rows),
      paint,
    ),
    ...unpredictedLines(fidelity.unpredicted),
    ...(left.length === 0 ? [] : [`no measurements in ${left.map(escapeText).join(', ')}`]),
  ];
}

function constantLine({ name, inProfile, fitted, source }: FittedConstant): string {
  const { key, scale, unit } = CONSTANT_KEYS[name];
  const [now, then] = [three(fitted * scale), three(inProfile * scale)];
  return `${key} ${now}${unit}${now === then ? ', as in the profile' : `, ${then}${unit} in the profile`} (${escapeText(source)})`;
}

function rowLines(rows: readonly PredictedRow[], width: number, paint: Paint): string[] {
  const hasLeftOut = rows.some(({ leftOutErrorRatio }) => leftOutErrorRatio !== undefined);
  const columns: Column[] = [
    { title: 'model', align: 'left', rank: 0, shrinksTo: 12 },
    { title: 'variant', align: 'left', rank: 3, shrinksTo: 8 },
    { title: 'mode', align: 'left', rank: 5 },
    { title: 'unit', align: 'left', rank: 2 },
    { title: 'measured', align: 'right', rank: 1 },
    { title: 'predicted', align: 'right', rank: 0 },
    { title: 'error', align: 'right', rank: 0 },
    ...(hasLeftOut ? [{ title: 'left out', align: 'right' as const, rank: 2 }] : []),
    { title: 'how', align: 'left', rank: 4, shrinksTo: 20 },
  ];
  const lines = rows.map((row): Cell[] => [
    { text: escapeText(row.model), tone: 'bold' },
    { text: escapeText(row.variant) },
    { text: row.mode },
    { text: row.unit },
    { text: row.measured === undefined ? '-' : figure(row.measured) },
    { text: figure(row.predicted) },
    { text: signed(row.errorRatio) },
    ...(hasLeftOut ? [{ text: signed(row.leftOutErrorRatio) }] : []),
    { text: escapeText(row.how), tone: 'dim' },
  ]);
  return renderGrid(columns, lines, width, paint);
}

const figure = (value: number): string => (value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3))));

const KINDS: Readonly<Record<ErrorSummary['kind'], string>> = {
  decode: 'language models, tokens a second',
  prefill: 'language models, prompts (no aim)',
  convolutional: 'convolutional networks',
  attention: 'networks with attention',
};

/** Of a chip that has no figure for them, prompts are predicted at the roofline. */
const PROMPTS_UNFITTED = 'language models, prompts (nothing is fitted to them, and there is no aim)';

function summaryLines(summaries: readonly ErrorSummary[], arePromptsFitted: (part: string) => boolean, paint: Paint): string[] {
  return summaries.map((summary) => {
    const { file, part, kind, isBySize, count, meanErrorRatio, medianErrorRatio, worst, meanLeftOutErrorRatio } = summary;
    const size = isBySize ? ', by the size in their name alone' : '';
    const leftOut = meanLeftOutErrorRatio === undefined ? '' : `, left out ${percent(meanLeftOutErrorRatio)}`;
    const worstText = `worst ${signed(worst.errorRatio)} (${escapeText(worst.model)}, line ${worst.line})`;
    const name = file.replace(/^.*\//, '');
    const what = kind === 'prefill' && !arePromptsFitted(part) ? PROMPTS_UNFITTED : KINDS[kind];
    return `${escapeText(name)}, ${part}, ${what}${size}: ${count} rows, mean error ${paint(percent(meanErrorRatio), 'bold')}, median ${percent(medianErrorRatio)}${leftOut}, ${worstText}`;
  });
}

/** Rows whose figures are not to be had so, or rest on more than the row tells; they stand in full here, where columns may be cut. */
function doubtLines(rows: readonly PredictedRow[], paint: Paint): string[] {
  const place = ({ file, line, model }: PredictedRow): string => `${file}:${line}: ${model}`;
  const misfits = rows.filter(({ memory }) => !memory.doesFit);
  const assuming = rows.filter(({ assumed }) => assumed.length > 0);
  return [
    ...(misfits.length === 0 ? [] : ['', paint(`${counted(misfits.length, 'row')} of what does not fit the memory`, 'bold')]),
    ...misfits.map((row) => escapeText(`${place(row)}: ${memoryText(row.memory)}`)),
    ...(assuming.length === 0 ? [] : ['', `${counted(assuming.length, 'row')} with something assumed`]),
    ...assuming.map((row) => escapeText(`${place(row)}: ${row.assumed.join('; ')}`)),
  ];
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function unpredictedLines(rows: readonly UnpredictedRow[]): string[] {
  if (rows.length === 0) return [];
  return [
    '',
    `${rows.length} rows not predicted`,
    ...rows.map(({ file, line, model, why }) => escapeText(`${file}:${line}: ${model}: ${why}`)),
  ];
}
