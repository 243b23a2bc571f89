import type { ManifestModel, RuntimeConfig } from '../../config/runtime-config.ts';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import type { NumberType } from '../../core/layer-cost.ts';
import type { SocProfile } from '../../core/soc-profile.ts';
import { type DurationUs, durationFromMs } from '../../core/units.ts';
import { modelsUsed } from '../../runtime/models-used.ts';
import type { SimulateDeps, Simulation } from '../../runtime/simulate.ts';
import type { ModelCosts } from '../../runtime/simulate-costs.ts';
import type { SimulateOptions } from '../../runtime/simulate-options.ts';
import type { Report } from '../../telemetry/report-schema.ts';
import type { CliDeps } from '../cli-deps.ts';
import { EXIT } from '../exit-code.ts';
import { type LogFile, openLogFile } from '../log-file.ts';
import { choosePaint } from '../paint.ts';
import { createProgressBar } from '../progress-bar.ts';
import { prepareReportFile, type ReportFile } from '../report-file.ts';
import { renderSimSummary } from '../sim-summary.ts';
import { modeOf } from '../soc-mode.ts';
import { watchSignals } from '../stop-watch.ts';
import { escapeText } from '../terminal-text.ts';

export interface SimOptions {
  readonly config: string;
  readonly soc: string;
  readonly mode: string | undefined;
  readonly runFor: DurationUs | undefined;
  readonly seed: number | undefined;
  readonly policy: SimulateOptions['policy'] | undefined;
  readonly storedAs: NumberType | undefined;
  readonly faults: SimulateOptions['faults'];
  readonly compute: NonNullable<SimulateOptions['compute']>;
  readonly results: string | undefined;
  readonly report: string | undefined;
  readonly trace: string | undefined;
  readonly log: string | undefined;
  readonly isJson: boolean;
}

export interface SimDeps extends CliDeps {
  readonly loadConfig: (file: string) => RuntimeConfig;
  readonly loadSoc: (soc: string) => SocProfile;
  readonly storedAsOn: (profile: SocProfile) => NumberType;
  readonly costsOf: (model: ManifestModel, storedAs: NumberType) => ModelCosts;
  readonly simulate: (options: SimulateOptions, deps: SimulateDeps) => Promise<Simulation>;
  /** Lets signals and output through; the simulation itself never waits. */
  readonly breathe: () => Promise<void>;
}

const SPAN_DEFAULT_US = durationFromMs(60_000);

/** Simulates a configuration on a profile, and prints the report. 0: no safety job was lost; 1: some were late, failed or dropped, or a file could not be written. */
export async function sim(options: SimOptions, deps: SimDeps): Promise<number> {
  const config = deps.loadConfig(options.config);
  const profile = deps.loadSoc(options.soc);
  const mode = modeOf(profile, options.mode);
  const reportFile = options.report === undefined ? undefined : await prepareReportFile(options.report);
  const traceFile = options.trace === undefined ? undefined : await prepareReportFile(options.trace, '--trace');
  const people = options.isJson ? deps.err : deps.out;
  const used = modelsUsed(config.pipelines);
  const storedAs = options.storedAs ?? deps.storedAsOn(profile);
  const costs = config.models.filter(({ id }) => used.has(id)).map((model) => deps.costsOf(model, storedAs));
  for (const { model, told } of costs) people.write(`${escapeText(model)}: ${escapeText(told)}\n`);
  const warn = (message: string): void => people.write(`warning: ${escapeText(message)}\n`);
  const results = options.results === undefined ? undefined : await openLogFile(options.results, warn, '--results');
  const log = options.log === undefined ? undefined : await openLogFile(options.log, warn);
  const { report, trace, problems } = await played(
    {
      config,
      profile,
      mode,
      spanUs: options.runFor ?? SPAN_DEFAULT_US,
      seed: options.seed ?? config.runtime.seed,
      faults: options.faults,
      compute: options.compute,
      ...(options.policy === undefined ? {} : { policy: options.policy }),
      isTraced: traceFile !== undefined,
    },
    { ...deps, costs, log, results },
  ).finally(() => Promise.all([log?.close(), results?.close()]));
  for (const problem of problems) people.write(`warning: ${escapeText(problem)}\n`);
  people.write(`\n${renderSimSummary(report, people.columns(), choosePaint(people.isTty, deps.env)).join('\n')}\n`);
  if (options.isJson) deps.out.write(`${JSON.stringify(report)}\n`);
  await reportFile?.write(`${JSON.stringify(report, null, 2)}\n`);
  await writeTrace(traceFile, trace);
  return isSafe(report) ? EXIT.fine : EXIT.findings;
}

async function writeTrace(file: ReportFile | undefined, text: string | undefined): Promise<void> {
  if (file !== undefined && text !== undefined) await file.write(text);
}

type PlayDeps = SimDeps & {
  readonly costs: readonly ModelCosts[];
  readonly log: LogFile | undefined;
  readonly results: LogFile | undefined;
};

/** With a bar on a terminal; the first signal ends the simulation early, and what was simulated is reported. */
async function played(options: SimulateOptions, deps: PlayDeps): Promise<Simulation> {
  const { clock, log, results } = deps;
  const signals = watchSignals(deps);
  let isAsked = false;
  void signals.drainAsked.then(() => {
    isAsked = true;
  });
  signals.armed();
  const progress = createProgressBar(deps);
  try {
    return await deps.simulate(options, {
      costs: deps.costs,
      realClock: clock,
      ...(log === undefined ? {} : { log: writerTo(log, '--log') }),
      ...(results === undefined ? {} : { results: writerTo(results, '--results') }),
      async pause(doneRatio) {
        await deps.breathe();
        progress.show(doneRatio, `of ${options.spanUs / 1e6} s simulated`);
        return isAsked;
      },
    });
  } finally {
    progress.clear();
    signals.close();
  }
}

/** Unlike a run, a simulation can be played again, so lines that are lost end it. */
const writerTo =
  (file: LogFile, option: string) =>
  async (text: string): Promise<void> => {
    await file.write(text).catch((error: unknown) => {
      throw new CoxswainError('FILE_UNWRITABLE', `${option} cannot be written on: ${messageOf(error)}; free space or name another file`);
    });
  };

/** Whatever became of a safety job but `done`; those cut off by the end of the run are nobody's loss. */
function isSafe({ streams }: Report): boolean {
  const lost = (counts: Readonly<Partial<Record<string, number>>>): number =>
    Object.entries(counts).reduce((sum, [reason, count]) => sum + (reason === 'stopping' ? 0 : (count ?? 0)), 0);
  return streams.every(
    ({ criticality, jobs }) => criticality !== 'safety' || jobs.late + lost(jobs.dropped) + lost(jobs.rejected) + lost(jobs.failed) === 0,
  );
}
