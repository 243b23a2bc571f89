import { Command, CommanderError } from 'commander';
import type { AnalysisName } from '../runtime/analysis.ts';
import { addBench, type BenchCommands } from './bench-program.ts';
import type { CliDeps } from './cli-deps.ts';
import type { AnalyzeOptions } from './commands/analyze.ts';
import type { AskOptions } from './commands/ask.ts';
import type { DoctorOptions } from './commands/doctor.ts';
import type { ModelsOptions } from './commands/models.ts';
import type { RunOptions } from './commands/run.ts';
import { parseDuration } from './duration.ts';
import { EXIT, exitCodeOf, explain, UsageError } from './exit-code.ts';
import { requireOwnFiles } from './own-files.ts';
import { addCheck, addPlan, addSim, type SimCommands } from './program-sim.ts';
import { escapeLines } from './terminal-text.ts';

/** Which models a `models` command is about; the manifest wins. */
export interface ModelsWhere {
  readonly config: string | undefined;
  readonly manifest: string | undefined;
}

/** What each command does, given its parsed options; resolves to the exit status. */
export interface Commands extends SimCommands, BenchCommands {
  readonly run: (options: RunOptions) => Promise<number>;
  readonly ask: (options: AskOptions) => Promise<number>;
  readonly analyze: (options: AnalyzeOptions) => Promise<number>;
  readonly doctor: (options: DoctorOptions) => Promise<number>;
  readonly modelsList: (where: ModelsWhere, options: ModelsOptions) => Promise<number>;
  readonly modelsVerify: (where: ModelsWhere, options: ModelsOptions) => Promise<number>;
  readonly configSchema: () => Promise<number>;
  readonly configPrint: (file: string) => Promise<number>;
}

/** Parses the arguments (without the program's own name), runs the command, prints what went wrong, and resolves to the exit status. Never rejects. */
export async function runProgram(
  args: readonly string[],
  commands: Commands,
  deps: Pick<CliDeps, 'out' | 'err' | 'version'>,
): Promise<number> {
  let status: number = EXIT.fine;
  const program = createProgram(commands, deps, (code) => {
    status = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return status;
  } catch (thrown) {
    // commander has printed its own message, or the help or version that was asked for.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.fine : EXIT.usage;
    deps.err.write(`coxswain: ${escapeLines(explain(thrown))}\n`);
    return exitCodeOf(thrown);
  }
}

function createProgram(commands: Commands, deps: Pick<CliDeps, 'out' | 'err' | 'version'>, end: (code: number) => void): Command {
  const program = new Command('coxswain')
    .description('Runs cameras, speech and models on the cores of one machine, every result by its deadline.')
    .version(deps.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => deps.out.write(text),
      writeErr: (text) => deps.err.write(text),
      getOutHelpWidth: () => deps.out.columns(),
      getErrHelpWidth: () => deps.err.columns(),
    })
    .addHelpText('after', EXIT_HELP);
  addRun(program, commands, end);
  addAsk(program, commands, end);
  addSim(program, commands, end);
  addPlan(program, commands, end);
  addCheck(program, commands, end);
  addAnalyze(program, commands, end);
  addBench(program, commands, end);
  addDoctor(program, commands, end);
  addModels(program, commands, end);
  addConfig(program, commands, end);
  // Settings such as exitOverride reach only commands that are made after them, so they are copied to the nested ones too.
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
    for (const nested of command.commands) nested.copyInheritedSettings(program);
  }
  return program;
}

const EXIT_HELP = `
Exit status: 0 fine, 1 findings, 2 wrong usage, 70 internal error, 78 wrong configuration.

Examples:
  $ coxswain run configs/cockpit.yaml --for 20s --report report.json
  $ coxswain sim configs/vehicle-500.yaml --soc car-500 --for 10s
  $ coxswain plan --soc car-500 --model llama-3.1-8b
  $ coxswain check configs/cockpit.yaml
  $ coxswain doctor
  $ coxswain models verify --manifest configs/models.yaml
  $ coxswain config print configs/cockpit.yaml`;

const examples = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  $ coxswain ${line}`).join('\n')}`;

interface RunFlags {
  readonly for?: string;
  readonly report?: string;
  readonly log?: string;
  readonly json?: true;
  readonly plain?: true;
}

function addRun(program: Command, commands: Commands, end: (code: number) => void): void {
  program
    .command('run')
    .description('run a configuration until its time is over, its sources end, or it is stopped')
    .argument('<config>', 'configuration file (YAML)')
    .option('--for <time>', 'stop after this long, such as 500ms, 20s, 5m, 1h')
    .option('--report <file>', 'write the report (JSON) there at the end, however the run ends')
    .option('--log <file>', 'write the log of the scheduler decisions there')
    .option('--json', 'print the report to standard output, everything else to standard error')
    .option('--plain', 'print lines instead of the live table, also on a terminal')
    .addHelpText(
      'after',
      `\nCtrl-C or SIGTERM drains within drainMs; a second one stops now.\n${examples('run configs/cockpit.yaml', 'run configs/cockpit.yaml --for 20s --report report.json', 'run configs/cockpit.yaml --for 1m --json | jq .streams')}`,
    )
    .action(async (config: string, flags: RunFlags) => {
      const runFor = flags.for === undefined ? undefined : parseDuration(flags.for);
      const { report, log, json, plain } = flags;
      requireOwnFiles({ '<config>': config, '--report': report, '--log': log });
      end(await commands.run({ config, runFor, report, log, isJson: json === true, isPlain: plain === true }));
    });
}

interface AskFlags extends JsonFlag {
  readonly url?: string;
  readonly config: string;
  readonly model: string;
  readonly conversation: string;
  readonly token?: string;
}

function addAsk(program: Command, commands: Commands, end: (code: number) => void): void {
  program
    .command('ask')
    .description('say something to the assistant of a runtime that runs, and print its answer as it comes')
    .argument('<words...>', 'what to say; words are put together with blanks')
    .option('--url <address>', 'where the runtime listens, such as http://127.0.0.1:8080; by default as --config says')
    .option('--config <file>', 'configuration that it runs, for the address and the token', 'configs/cockpit.yaml')
    .option('--model <name>', 'pipeline with an assistant, or a language model', 'assistant')
    .option('--conversation <name>', 'go on with what was said under this name; "" for a question that stands for itself', 'console')
    .option('--token <text>', 'bearer token, where the server wants one')
    .option('--json', 'print the whole answer as the server gives it')
    .addHelpText(
      'after',
      `\nA yes or no answers a question that the assistant has asked. Ctrl-C breaks the answer off.\n${examples('ask "turn the seat heating to two"', 'ask what do you see', "ask --json hello | jq '.choices[0].message'")}`,
    )
    .action(async (words: readonly string[], { url, token, json, ...flags }: AskFlags) => {
      end(await commands.ask({ text: words.join(' '), url, token, isJson: json === true, ...flags }));
    });
}

interface JsonFlag {
  readonly json?: true;
}

/** Held to the registry of the scheduler by the compiler: a missing or an unknown name does not type-check. */
const ANALYSES: Readonly<Record<AnalysisName, string>> = {
  rta: 'response times, preemptive fixed priorities, blocking, jitter',
  'np-fp': 'response times, fixed priorities without preemption',
  'edf-demand': 'processor demand under preemptive EDF',
  qpa: 'the same in large steps backwards',
  'np-edf': 'EDF without preemption',
  'lp-edf': 'how long each task may run without preemption under EDF',
  cbs: 'constant-bandwidth servers beside hard tasks, proven and played',
  'amc-rtb': 'adaptive mixed criticality, fixed priorities',
  'edf-vd': 'mixed criticality under EDF with virtual deadlines',
  federated: 'how many cores each parallel job needs',
  gang: 'all-or-nothing jobs on groups of cores',
  chain: 'end-to-end latency over tasks that sample each other',
  bandwidth: 'shares of the memory bus, and what they do to response times',
};
const isAnalysis = (name: string): name is AnalysisName => Object.hasOwn(ANALYSES, name);

interface AnalyzeFlags extends JsonFlag {
  readonly test: string;
}

function addAnalyze(program: Command, commands: Commands, end: (code: number) => void): void {
  const names = Object.keys(ANALYSES).join(', ');
  const tests = Object.entries(ANALYSES)
    .map(([name, about]) => `  ${name.padEnd(11)}${about}`)
    .join('\n');
  program
    .command('analyze')
    .description('run one schedulability test on a table of tasks')
    .argument('<taskset>', 'table of tasks (JSON), - for standard input: {"tasks": [{"c": 1, "t": 4, "d": 3}, ...]}')
    .requiredOption('--test <name>', 'one of the tests below')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `\nTests:\n${tests}\n\nExit status 0: proven schedulable; 1: not schedulable, or not known.\n${examples('analyze tasks.json --test rta', 'analyze tasks.json --test np-edf --json', 'analyze tasks.json --test lp-edf --json | jq .tasks')}`,
    )
    .action(async (file: string, { test, json }: AnalyzeFlags) => {
      if (!isAnalysis(test)) throw new UsageError(`there is no test ${JSON.stringify(test)}; allowed is one of ${names}`);
      end(await commands.analyze({ file, test, isJson: json === true }));
    });
}

function addDoctor(program: Command, commands: Commands, end: (code: number) => void): void {
  program
    .command('doctor')
    .description('say what this machine has, lacks and forbids, each with the fix')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', examples('doctor', 'doctor --json'))
    .action(async ({ json }: JsonFlag) => {
      end(await commands.doctor({ isJson: json === true }));
    });
}

interface ModelsFlags extends JsonFlag {
  readonly config?: string;
  readonly manifest?: string;
}

function addModels(program: Command, commands: Commands, end: (code: number) => void): void {
  const models = program.command('models').description('the models of a manifest');
  const add = (name: string, description: string, action: (where: ModelsWhere, options: ModelsOptions) => Promise<number>): void => {
    models
      .command(name)
      .description(description)
      .option('--config <file>', 'take the manifest that this configuration names')
      .option('--manifest <file>', 'take this manifest; by default that of the samples')
      .option('--json', 'print JSON')
      .addHelpText('after', examples(`models ${name}`, `models ${name} --config configs/cockpit.yaml`))
      .action(async ({ config, manifest, json }: ModelsFlags) => {
        end(await action({ config, manifest }, { isJson: json === true }));
      });
  };
  add('list', 'list every file with its size, licence and hash', commands.modelsList);
  add('verify', 'hash every file and compare', commands.modelsVerify);
}

function addConfig(program: Command, commands: Commands, end: (code: number) => void): void {
  const config = program.command('config').description('look at configuration');
  config
    .command('schema')
    .description('print the JSON Schema of configuration and manifest')
    .addHelpText('after', examples('config schema > schema.json'))
    .action(async () => {
      end(await commands.configSchema());
    });
  config
    .command('print')
    .description('print a configuration as the runtime sees it: defaults filled in, secrets masked')
    .argument('<config>', 'configuration file (YAML)')
    .addHelpText('after', examples('config print configs/cockpit.yaml'))
    .action(async (file: string) => {
      end(await commands.configPrint(file));
    });
}
