import type { Command } from 'commander';
import { oneOf } from './choice.ts';
import type { BenchSuiteOptions, SuiteName } from './commands/bench-suite.ts';
import { parseDuration } from './duration.ts';
import { UsageError } from './exit-code.ts';
import { requireOwnFiles } from './own-files.ts';
import { DROPS, INTERRUPTING, POLICIES } from './policy-choice.ts';

type Policy = BenchSuiteOptions['policies'][number];
/** Unmanaged serving, fair serving, and ours. */
const POLICIES_DEFAULT: readonly Policy[] = ['fifo', 'round-robin', 'coxswain'];
const COSTS: Readonly<Record<BenchSuiteOptions['costs'], true>> = { stated: true, measured: true };

interface SuiteCommand {
  readonly name: SuiteName;
  readonly about: string;
  readonly examples: readonly string[];
}

const SUITES: readonly SuiteCommand[] = [
  {
    name: 'disb',
    about: 'DISB: real-time beside best-effort inference on one accelerator; slowdown and throughput',
    examples: ['bench disb', 'bench disb --workload D,E --policy all --costs measured', 'bench disb --workload C --deadline 1.05 --loads'],
  },
  {
    name: 'automotive',
    about: 'vision at 15 and 12 Hz beside an assistant of 8 billion parameters; P99.9, first word, words a second',
    examples: ['bench automotive', 'bench automotive --for 60s --policy coxswain', 'bench automotive --mode w40 --report automotive.json'],
  },
  {
    name: 'voice-video',
    about: 'video at 25 frames a second beside a speech job of 0.8 s every 3 s on one core',
    examples: ['bench voice-video', 'bench voice-video --policy all', 'bench voice-video --json | jq .rows'],
  },
];

interface SuiteFlags {
  readonly suite?: string;
  readonly workload?: string;
  readonly policy?: string;
  readonly costs?: string;
  readonly deadline?: string;
  readonly drop?: string;
  readonly preempt?: true;
  readonly whole?: true;
  readonly soc?: string;
  readonly mode?: string;
  readonly for?: string;
  readonly seed?: string;
  readonly report?: string;
  readonly loads?: true;
  readonly json?: true;
}

/** The commands of `bench` that play a file of workloads. */
export function addBenchSuites(bench: Command, call: (options: BenchSuiteOptions) => Promise<number>, end: (code: number) => void): void {
  for (const { name, about, examples } of SUITES) {
    bench
      .command(name)
      .description(about)
      .option('--suite <yaml>', `take the workloads from there; by default configs/bench/${name}.yaml`)
      .option('--workload <names>', 'only these, separated by commas; by default all')
      .option('--policy <names>', `some of ${Object.keys(POLICIES).join(', ')}, or all (default: ${POLICIES_DEFAULT.join(',')})`)
      .option('--costs <kind>', 'stated: from the sizes or times of the models (default); measured: from the section measured of the file')
      .option('--deadline <times>', 'deadlines of what is not best effort, as multiples of a run alone, such as 1.05')
      .option('--drop <rule>', 'none, expired or infeasible (default: none for fifo and round-robin, else the one of the policy)')
      .option(
        '--preempt',
        `${INTERRUPTING.filter((name) => name !== 'coxswain').join(', ')} interrupt runs between their blocks as coxswain does; the others never do`,
      )
      .option('--whole', 'runs cannot be interrupted, whatever the suite says')
      .option('--soc <profile>', 'chip: a name of configs/soc or a file; by default that of the suite')
      .option('--mode <name>', 'power mode of the profile; by default its first')
      .option('--for <time>', 'simulate this long, such as 10s, 2h; by default as the suite says')
      .option('--seed <text>', 'seed of all chance (default: 1)')
      .option('--report <file>', 'write the result (JSON) there')
      .option('--loads', 'print every load of every play')
      .option('--json', 'print the result as JSON')
      .addHelpText(
        'after',
        `\nExit status 0: the policy coxswain reaches every aim of the suite that was played; 1: not every one.\n\nExamples:\n${examples.map((line) => `  $ coxswain ${line}`).join('\n')}`,
      )
      .action(async (flags: SuiteFlags) => {
        end(await call(optionsOf(name, flags)));
      });
  }
}

function optionsOf(name: SuiteName, flags: SuiteFlags): BenchSuiteOptions {
  const { seed = '1' } = flags;
  requireOwnFiles({ '--suite': flags.suite, '--soc': flags.soc, '--report': flags.report });
  if (seed === '') throw new UsageError('--seed is empty; give any text');
  return {
    name,
    suite: flags.suite,
    workloads: flags.workload === undefined ? undefined : namesOf('--workload', flags.workload),
    policies: policiesOf(flags.policy),
    costs: oneOf('--costs', flags.costs ?? 'stated', COSTS),
    deadlineTimes: flags.deadline === undefined ? undefined : deadlineTimes(flags.deadline),
    drop: flags.drop === undefined ? undefined : oneOf('--drop', flags.drop, DROPS),
    doAllPreempt: flags.preempt === true,
    isWhole: flags.whole === true,
    soc: flags.soc,
    mode: flags.mode,
    runFor: flags.for === undefined ? undefined : parseDuration(flags.for),
    seed,
    report: flags.report,
    hasLoads: flags.loads === true,
    isJson: flags.json === true,
  };
}

function policiesOf(text: string | undefined): readonly Policy[] {
  if (text === undefined) return POLICIES_DEFAULT;
  if (text === 'all') return Object.keys(POLICIES) as Policy[];
  return namesOf('--policy', text).map((name) => oneOf('--policy', name, POLICIES));
}

function namesOf(option: string, text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (names.includes('')) throw new UsageError(`${option} ${JSON.stringify(text)}: give names separated by commas`);
  if (twice !== undefined) throw new UsageError(`${option} names ${JSON.stringify(twice)} twice`);
  return names;
}

function deadlineTimes(text: string): number {
  const times = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || times < 1 || times > 1_000)
    throw new UsageError(`--deadline ${JSON.stringify(text)}: allowed is a number from 1 to 1000, such as 1.05`);
  return times;
}
