import type { RuntimeConfig } from '../../config/runtime-config.ts';
import { after } from '../../core/clock.ts';
import { createDeferred } from '../../core/deferred.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { DurationUs } from '../../core/units.ts';
import type { Runtime, RuntimeDeps } from '../../runtime/runtime.ts';
import type { Report } from '../../telemetry/report-schema.ts';
import type { CliDeps } from '../cli-deps.ts';
import { EXIT, explain } from '../exit-code.ts';
import { type LogFile, openLogFile } from '../log-file.ts';
import { choosePaint } from '../paint.ts';
import { prepareReportFile, type ReportFile } from '../report-file.ts';
import { createLiveView, createPlainView, type RunView } from '../run-view.ts';
import { type StopWatch, watchSignals } from '../stop-watch.ts';
import { renderSummary } from '../summary.ts';
import { escapeLines } from '../terminal-text.ts';

export interface RunOptions {
  readonly config: string;
  readonly runFor: DurationUs | undefined;
  readonly report: string | undefined;
  readonly log: string | undefined;
  /** The report goes to stdout as JSON, everything for people to stderr. */
  readonly isJson: boolean;
  /** Lines instead of the live table, also on a terminal. */
  readonly isPlain: boolean;
}

export interface RunDeps extends CliDeps {
  readonly loadConfig: (file: string) => RuntimeConfig | Promise<RuntimeConfig>;
  readonly startRuntime: (config: RuntimeConfig, deps: RuntimeDeps) => Promise<Runtime>;
}

/**
 * Runs a configuration until its time is over, its sources have ended, or somebody stops it. Everything that can be wrong with the options is found before the
 * first process is started. Resolves to the exit status; rejects with UsageError or CoxswainError.
 */
export async function run(options: RunOptions, deps: RunDeps): Promise<number> {
  const config = await deps.loadConfig(options.config);
  const reportFile = options.report === undefined ? undefined : await prepareReportFile(options.report);
  const view = chooseView(options, deps);
  const log = options.log === undefined ? undefined : await openLogFile(options.log, (message) => view.notice(message));
  const signals = watchSignals(deps);
  let report: Report;
  try {
    const ended = await runUntilStopped(options, config, { ...deps, log, view, signals });
    report = log === undefined ? ended : { ...ended, log: await log.close() };
  } catch (error) {
    await log?.close();
    throw error;
  } finally {
    view.close();
    signals.close();
  }
  printSummary(report, options, deps);
  return saveReport(report, reportFile, deps);
}

function chooseView(options: RunOptions, deps: RunDeps): RunView {
  const isLive = deps.out.isTty && !options.isPlain && !options.isJson && deps.env.TERM !== 'dumb';
  return isLive ? createLiveView(deps.out, { runFor: options.runFor }, deps) : createPlainView(options.isJson ? deps.err : deps.out, deps);
}

interface RunParts extends RunDeps {
  readonly log: LogFile | undefined;
  readonly view: RunView;
  readonly signals: StopWatch;
}

async function runUntilStopped(options: RunOptions, config: RuntimeConfig, parts: RunParts): Promise<Report> {
  const { clock, log, view, signals } = parts;
  const readerGone = createDeferred<void>();
  parts.out.onClosed((isGone, message) => {
    // A reader that left (`| head`, a closed terminal) has seen enough; a full disk under stdout is no reason to stop.
    if (isGone) readerGone.resolve();
    else parts.err.write(`warning: standard output is lost: ${message}\n`);
  });
  const print = (line: string): void => view.print(line);
  const runtime = await parts.startRuntime(config, { clock, print, ...(log === undefined ? {} : { decisionLog: log }) });
  signals.armed();
  view.begin(runtime);
  const timeOver = createDeferred<void>();
  const timer = options.runFor === undefined ? undefined : after(clock, options.runFor, () => timeOver.resolve());
  await Promise.race([signals.drainAsked, readerGone.promise, runtime.ended, timeOver.promise]);
  timer?.cancel();
  view.stopping();
  return drain(runtime, signals);
}

const drain = (runtime: Runtime, signals: StopWatch): Promise<Report> =>
  Promise.race([runtime.stop('drain'), signals.nowAsked.then(() => runtime.stop('now'))]);

function printSummary(report: Report, options: RunOptions, deps: RunDeps): void {
  const terminal = options.isJson ? deps.err : deps.out;
  const lines = renderSummary(report, terminal.columns(), choosePaint(terminal.isTty, deps.env));
  terminal.write(`\n${lines.join('\n')}\n`);
  if (options.isJson) deps.out.write(`${JSON.stringify(report)}\n`);
}

/** The run went well even when its report is lost; that is a finding, and the report goes to stderr so that it is not gone. */
async function saveReport(report: Report, file: ReportFile | undefined, { err }: CliDeps): Promise<number> {
  if (file === undefined) return EXIT.fine;
  try {
    await file.write(`${JSON.stringify(report, null, 2)}\n`);
    return EXIT.fine;
  } catch (error) {
    if (!(error instanceof CoxswainError)) throw error;
    err.write(`${escapeLines(explain(error))}\n${JSON.stringify(report)}\n`);
    return EXIT.findings;
  }
}
