import type { Command } from 'commander';
import type { Choice } from '../bench/xrbench/compare.ts';
import { addBenchFidelity, type FidelityCommands } from './bench-fidelity-program.ts';
import { addBenchSuites } from './bench-suite-program.ts';
import { oneOf } from './choice.ts';
import type { BenchXrbenchOptions } from './commands/bench.ts';
import type { BenchSuiteOptions } from './commands/bench-suite.ts';
import { UsageError } from './exit-code.ts';
import { requireOwnFiles } from './own-files.ts';
import { DROPS, INTERRUPTING, POLICIES } from './policy-choice.ts';

const RELEASES: Readonly<Record<Choice['release'], true>> = { tick: true, exact: true };
const VICTIMS: Readonly<Record<Choice['victim'], true>> = { turns: true, value: true };

interface XrbenchFlags {
  readonly costs: string;
  readonly configuration?: string;
  readonly scenario?: string;
  readonly policy?: string;
  readonly release?: string;
  readonly drop?: string;
  readonly victim?: string;
  readonly preemption?: string;
  readonly seed?: string;
  readonly schedule?: string;
  readonly scenarios?: string;
  readonly configurations?: string;
  readonly all?: true;
  readonly json?: true;
}

const HELP = `
--policy coxswain plays for this score: it chooses victims by value, runs late what costs nobody anything, and interrupts at no cost. What it does in a
vehicle is --victim turns; --preemption 2% puts a price on an interruption, --preemption none allows none.

Examples:
  $ coxswain bench xrbench --costs costs.csv --configuration Single_4K__WS --scenario VR_gaming --policy latency-greedy --release tick
  $ coxswain bench xrbench --costs costs.csv --configuration Dual_4K__WS_OS --scenario VR_gaming --schedule out.csv
  $ coxswain bench xrbench --costs costs.csv --all`;

/** What the `bench` commands do. */
export interface BenchCommands extends FidelityCommands {
  readonly benchXrbench: (options: BenchXrbenchOptions) => Promise<number>;
  readonly benchSuite: (options: BenchSuiteOptions) => Promise<number>;
}

/** The `bench` commands. */
export function addBench(program: Command, commands: BenchCommands, end: (code: number) => void): void {
  const bench = program
    .command('bench')
    .description("the field's own workloads on the scheduler, in virtual time, and measurements against the simulator");
  bench
    .command('xrbench')
    .description('play XRBench v0.1 and print its score')
    .requiredOption('--costs <csv>', 'latency and energy of every model on every accelerator type')
    .option('--configuration <name>', 'HARDWARE__DATAFLOWS, one dataflow per accelerator, such as Dual_4K__WS_OS')
    .option('--scenario <name>', 'usage scenario, such as VR_gaming')
    .option('--policy <name>', `one of ${Object.keys(POLICIES).join(', ')} (default: coxswain)`)
    .option('--release <how>', 'exact: frames come when they are due (default); tick: as published')
    .option('--drop <rule>', 'none, expired or infeasible (default: expired for coxswain by value, else the one of the policy)')
    .option('--victim <how>', 'for coxswain: value (default) or turns')
    .option(
      '--preemption <price>',
      'none, or what an interruption costs: 0, a part of the run (2%), or a time (500us, 1ms); default: 0 for coxswain, else none',
    )
    .option('--seed <text>', 'for scenarios with chance (default: 1)')
    .option('--schedule <csv>', 'write a line for each job there: from its first start to its end, and where it ended')
    .option('--all', 'print the table of all policies over all configurations and scenarios without chance')
    .option('--scenarios <csv>', 'take the scenarios from there; by default those of XRBench')
    .option('--configurations <csv>', 'take the configurations for --all from there; by default those of XRBench')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', HELP)
    .action(async (flags: XrbenchFlags) => {
      end(await commands.benchXrbench(optionsOf(flags)));
    });
  addBenchSuites(bench, commands.benchSuite, end);
  addBenchFidelity(bench, commands, end);
}

function optionsOf(flags: XrbenchFlags): BenchXrbenchOptions {
  const { costs, scenarios, configurations, schedule, seed = '1', all = false, json = false } = flags;
  const files = { costs, scenarios, configurations };
  if (all) {
    const extra = (['configuration', 'scenario', 'policy', 'release', 'drop', 'victim', 'preemption', 'seed', 'schedule'] as const).find(
      (name) => flags[name] !== undefined,
    );
    if (extra !== undefined) throw new UsageError(`--all takes all of them; leave out --${extra}`);
    return { kind: 'all', files, isJson: json };
  }
  const { configuration, scenario } = flags;
  requireOwnFiles({ '--costs': costs, '--scenarios': scenarios, '--schedule': schedule });
  if (configuration === undefined || scenario === undefined) throw new UsageError('give --configuration and --scenario, or --all');
  if (configurations !== undefined) throw new UsageError('--configurations is for --all; leave it out');
  if (seed === '') throw new UsageError('--seed is empty; give any text');
  const policy = oneOf('--policy', flags.policy ?? 'coxswain', POLICIES);
  const choice: Choice = {
    policy,
    release: oneOf('--release', flags.release ?? 'exact', RELEASES),
    drop: flags.drop === undefined ? undefined : oneOf('--drop', flags.drop, DROPS),
    victim: oneOf('--victim', flags.victim ?? 'value', VICTIMS),
    preemption: preemptionOf(flags.preemption ?? (policy === 'coxswain' ? '0' : 'none')),
  };
  if (flags.victim !== undefined && choice.policy !== 'coxswain')
    throw new UsageError(`--victim is for coxswain, not for ${choice.policy}`);
  if (choice.preemption !== undefined && !POLICIES[policy].canInterrupt)
    throw new UsageError(`--preemption is for ${INTERRUPTING.join(', ')}; ${policy} never interrupts`);
  return { kind: 'cell', files, configuration, scenario, choice, seed, schedule, isJson: json };
}

/** More than a second is no price of an interruption. */
const SWITCH_MAX_US = 1_000_000;
const US_OF = { us: 1, ms: 1_000 } as const;

function preemptionOf(text: string): Choice['preemption'] {
  if (text === 'none') return undefined;
  const [, digits = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,9})?)(%|us|ms)?$/.exec(text) ?? [];
  const value = digits === '' ? Number.NaN : Number(digits);
  if (unit === '%' && value <= 100) return { switchUs: 0, switchRatio: value / 100 };
  if (unit === '' && value === 0) return { switchUs: 0, switchRatio: 0 };
  const switchUs = unit === 'us' || unit === 'ms' ? value * US_OF[unit] : Number.NaN;
  if (switchUs <= SWITCH_MAX_US) return { switchUs, switchRatio: 0 };
  throw new UsageError(
    `--preemption is ${JSON.stringify(text)}; allowed are none, 0, a part of the run up to 100%, or a time up to 1000ms, such as 2% or 500us`,
  );
}
