import { type AimResult, aimResults } from '../../bench/suite/aims.ts';
import type { SuiteDeps, SuiteOptions, SuiteResult } from '../../bench/suite/play-suite.ts';
import type { BenchSuite, Workload } from '../../core/bench-suite.ts';
import type { SocProfile } from '../../core/soc-profile.ts';
import type { DurationUs } from '../../core/units.ts';
import type { CliDeps } from '../cli-deps.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { choosePaint } from '../paint.ts';
import { createProgressBar } from '../progress-bar.ts';
import { prepareReportFile } from '../report-file.ts';
import { modeOf } from '../soc-mode.ts';
import { renderSuite } from '../suite-tables.ts';

export const SUITE_NAMES = ['disb', 'automotive', 'voice-video'] as const;
export type SuiteName = (typeof SUITE_NAMES)[number];

export interface BenchSuiteOptions {
  readonly name: SuiteName;
  /** Undefined: the one that comes with Coxswain under the name. */
  readonly suite: string | undefined;
  /** Undefined: all. */
  readonly workloads: readonly string[] | undefined;
  readonly policies: SuiteOptions['policies'];
  readonly costs: SuiteOptions['costs'];
  readonly deadlineTimes: number | undefined;
  readonly drop: SuiteOptions['drop'];
  readonly doAllPreempt: boolean;
  readonly isWhole: boolean;
  readonly soc: string | undefined;
  readonly mode: string | undefined;
  readonly runFor: DurationUs | undefined;
  readonly seed: string;
  readonly report: string | undefined;
  readonly hasLoads: boolean;
  readonly isJson: boolean;
}

export interface BenchSuiteDeps extends Pick<CliDeps, 'out' | 'err' | 'env' | 'clock'> {
  /** Errors: FILE_UNREADABLE, CONFIG_INVALID. */
  readonly loadSuite: (file: string) => BenchSuite;
  readonly loadSoc: (soc: string) => SocProfile;
  /** The file of a suite that comes with Coxswain. */
  readonly defaultFile: (name: SuiteName) => string;
  readonly playSuite: (options: SuiteOptions, deps: SuiteDeps) => Promise<SuiteResult>;
  /** Lets signals and output through. */
  readonly breathe: () => Promise<void>;
}

/** Plays a suite, prints and writes its figures. 0: every aim that was played is reached; 1: not. Errors: CONFIG_INVALID, FILE_UNREADABLE, FILE_UNWRITABLE. */
export async function benchSuite(options: BenchSuiteOptions, deps: BenchSuiteDeps): Promise<number> {
  const { out, env } = deps;
  const suite = deps.loadSuite(options.suite ?? deps.defaultFile(options.name));
  if (options.costs === 'measured' && suite.measured === undefined)
    throw new UsageError(`--costs measured: ${suite.file} has no section measured`);
  const profile = deps.loadSoc(options.soc ?? suite.soc);
  const report = options.report === undefined ? undefined : await prepareReportFile(options.report);
  const result = await played(
    {
      suite,
      workloads: workloadsOf(suite, options.workloads),
      profile,
      mode: modeOf(profile, options.mode),
      ...{ policies: options.policies, costs: options.costs, drop: options.drop, deadlineTimes: options.deadlineTimes },
      ...{ isWhole: options.isWhole, doAllPreempt: options.doAllPreempt },
      ...{ spanUs: options.runFor ?? suite.spanUs, seed: options.seed },
    },
    deps,
  );
  const aims = aimResults(suite.aims, result.rows);
  const document = documentOf(suite, result, aims);
  const view = { hasLoads: options.hasLoads, width: out.columns(), paint: choosePaint(out.isTty, env) };
  out.write(options.isJson ? `${JSON.stringify(document)}\n` : `${renderSuite({ suite, result, aims }, view).join('\n')}\n`);
  await report?.write(`${JSON.stringify(document, null, 2)}\n`);
  return aims.every(({ isMet }) => isMet) ? EXIT.fine : EXIT.findings;
}

const documentOf = ({ name, published }: BenchSuite, result: SuiteResult, aims: readonly AimResult[]) => ({
  ...result,
  aims: aims.map(({ atMost, atLeast, ...aim }) => ({ ...aim, atMost: atMost ?? null, atLeast: atLeast ?? null })),
  published: { about: `measured elsewhere by others, not by ${name} as played here`, systems: published },
});

async function played(options: SuiteOptions, deps: BenchSuiteDeps): Promise<SuiteResult> {
  const progress = createProgressBar(deps);
  try {
    return await deps.playSuite(options, {
      async pause(doneRatio, what) {
        await deps.breathe();
        progress.show(doneRatio, what);
      },
    });
  } finally {
    progress.clear();
  }
}

function workloadsOf({ file, workloads }: BenchSuite, names: readonly string[] | undefined): readonly Workload[] {
  if (names === undefined) return workloads;
  return names.map((name) => {
    const found = workloads.find(({ id }) => id === name);
    if (found !== undefined) return found;
    throw new UsageError(
      `--workload ${JSON.stringify(name)}: ${file} has no such workload; allowed are ${workloads.map(({ id }) => id).join(', ')}`,
    );
  });
}
