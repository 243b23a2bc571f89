import type { Command } from 'commander';
import { NUMBER_TYPES, type NumberType } from '../core/layer-cost.ts';
import { oneOf } from './choice.ts';
import type { CheckOptions } from './commands/check.ts';
import type { PlanOptions } from './commands/plan.ts';
import type { SimOptions } from './commands/sim.ts';
import { parseDuration } from './duration.ts';
import { UsageError } from './exit-code.ts';
import { requireOwnFiles } from './own-files.ts';
import { POLICIES } from './policy-choice.ts';

/** The commands that know chips; the names that they allow are held to the rest of the program by the compiler. */
export interface SimCommands {
  readonly sim: (options: SimOptions) => Promise<number>;
  readonly plan: (options: PlanOptions) => Promise<number>;
  readonly check: (options: CheckOptions) => Promise<number>;
}

type FaultKind = keyof SimOptions['faults'];
const FAULTS: Readonly<Record<FaultKind, true>> = { crash: true, hang: true, wrong: true, slow: true, bandwidth: true, heat: true };

const COMPUTES: Readonly<Record<SimOptions['compute'], true>> = { none: true, ort: true };

const FAULTS_MAX = 1_000;
const SEED_MAX = 4_294_967_295;

interface SimFlags {
  readonly soc: string;
  readonly mode?: string;
  readonly for?: string;
  readonly seed?: string;
  readonly policy?: string;
  readonly storedAs?: string;
  readonly faults?: string;
  readonly compute?: string;
  readonly results?: string;
  readonly report?: string;
  readonly trace?: string;
  readonly log?: string;
  readonly json?: true;
}

const examples = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  $ coxswain ${line}`).join('\n')}`;

export function addSim(program: Command, commands: SimCommands, end: (code: number) => void): void {
  program
    .command('sim')
    .description('play a configuration on a simulated chip: same scheduler, virtual time')
    .argument('<config>', 'configuration file (YAML)')
    .requiredOption('--soc <profile>', 'chip: a name such as car-500 (see configs/soc) or a file')
    .option('--mode <name>', 'power mode of the profile; by default its first')
    .option('--for <time>', 'simulate this long, such as 500ms, 60s, 1h; by default 60s')
    .option('--seed <n>', 'seed of phases, jitter and faults; by default that of the configuration')
    .option('--policy <name>', `instead of the policy of the configuration: one of ${Object.keys(POLICIES).join(', ')}`)
    .option(
      '--stored-as <type>',
      `type that float models are converted to: one of ${NUMBER_TYPES.join(', ')}; by default int8 where the chip has it`,
    )
    .option('--faults <kinds>', `so many faults of each kind, such as crash=1,slow=2; kinds are ${Object.keys(FAULTS).join(', ')}`)
    .option(
      '--compute <how>',
      'where outputs come from: none, so that they are empty (default), or ort: real ones, computed by ONNX Runtime while time stands still',
    )
    .option('--results <file>', 'with --compute ort: write each result there, a line of JSON each')
    .option('--report <file>', 'write the report (JSON) there')
    .option('--trace <file>', 'write a trace there that Perfetto opens (Chrome trace JSON)')
    .option('--log <file>', 'write the log of the scheduler decisions there')
    .option('--json', 'print the report to standard output, everything else to standard error')
    .addHelpText(
      'after',
      `\nThe same seed gives the same report, log, trace and results. Exit status 1: a safety job was lost.\n${examples('sim configs/cockpit.yaml --soc rk3588', 'sim configs/vehicle-500.yaml --soc car-500 --for 10s --trace trace.json', 'sim configs/vehicle-500.yaml --soc car-500 --faults crash=1,heat=1 --seed 7', 'sim configs/cockpit.yaml --soc rk3588 --for 5s --compute ort --results results.jsonl')}`,
    )
    .action(async (config: string, flags: SimFlags) => {
      const compute = flags.compute === undefined ? 'none' : oneOf('--compute', flags.compute, COMPUTES);
      if (flags.results !== undefined && compute === 'none') throw new UsageError('--results needs results; add --compute ort');
      const { report, trace, log, results } = flags;
      requireOwnFiles({ '<config>': config, '--soc': flags.soc, '--report': report, '--trace': trace, '--log': log, '--results': results });
      end(
        await commands.sim({
          config,
          soc: flags.soc,
          mode: flags.mode,
          runFor: flags.for === undefined ? undefined : parseDuration(flags.for),
          seed: flags.seed === undefined ? undefined : wholeNumber('--seed', flags.seed, SEED_MAX),
          policy: flags.policy === undefined ? undefined : oneOf('--policy', flags.policy, POLICIES),
          storedAs: flags.storedAs === undefined ? undefined : storedAs(flags.storedAs),
          compute,
          results,
          faults: flags.faults === undefined ? {} : parseFaults(flags.faults),
          ...{ report, trace, log },
          isJson: flags.json === true,
        }),
      );
    });
}

interface PlanFlags {
  readonly mode?: string;
  readonly with?: string;
  readonly soc?: string;
  readonly model?: string;
  readonly bits?: string;
  readonly context?: string;
  readonly dims?: string;
  readonly sweep?: true;
  readonly plot?: string;
  readonly json?: true;
}

export function addPlan(program: Command, commands: SimCommands, end: (code: number) => void): void {
  program
    .command('plan')
    .description('does a language model fit a chip: memory, tokens a second, joules a token, and what it leaves for perception')
    .option('--soc <profile>', 'chip: a name such as car-500 (see configs/soc) or a file')
    .option('--model <name>', 'a name such as llama-3.1-8b (see configs/manifests/language.yaml), a folder of the hub, or an ONNX file')
    .option('--bits <n>', 'bits of a weight without its scales; by default 4, and for a network 8 where the chip has int8')
    .option(
      '--context <tokens>',
      'length of the conversation; by default 2048, or less where the model knows less; more than it knows is refused',
    )
    .option('--dims <sizes>', 'sizes that an ONNX file leaves open, as name=size,name=size; an axis without a name is input[axis]')
    .option('--with <config>', 'beside the streams of this configuration: what they leave, and whether they still fit')
    .option('--mode <name>', 'with --soc: power mode of the profile; by default its first')
    .option('--sweep', 'every model of the list on every chip, as a table and a sketch')
    .option('--plot <file>', 'with --sweep: write the plot (SVG) there')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `\nExit status 1: it does not fit, or with --with, the streams do not.\n${examples('plan --soc car-500 --model llama-3.1-8b', 'plan --soc car-500 --model llama-3.1-8b --with configs/vehicle-500.yaml', 'plan --soc rk3588 --model qwen2.5-1.5b --bits 8 --context 4096', 'plan --soc cix-p1 --model ./SmolLM2-135M-Instruct', 'plan --soc rk3588 --model detector.onnx --dims batch=1,height=480,width=640', 'plan --sweep --plot sweep.svg')}`,
    )
    .action(async (flags: PlanFlags) => {
      const isSweep = flags.sweep === true;
      if (!isSweep && (flags.soc === undefined || flags.model === undefined))
        throw new UsageError('plan needs --soc and --model, or --sweep for every model on every chip');
      if (!isSweep && flags.plot !== undefined) throw new UsageError('--plot draws the sweep; add --sweep');
      for (const [flag, value] of [
        ['--model', flags.model],
        ['--dims', flags.dims],
      ])
        if (isSweep && value !== undefined)
          throw new UsageError(`${flag} is about one model, and --sweep is about all of the list; leave one out`);
      if (isSweep && flags.with !== undefined) throw new UsageError('--with is about one model on one chip; leave out --sweep');
      requireOwnFiles({ '--with': flags.with, '--soc': flags.soc, '--model': flags.model, '--plot': flags.plot });
      if (flags.soc === undefined && flags.mode !== undefined) throw new UsageError('--mode is about one chip; add --soc');
      const bits = flags.bits === undefined ? undefined : Number(flags.bits);
      if (bits !== undefined && !(bits >= 2 && bits <= 16)) throw new UsageError(`--bits ${flags.bits}: allowed is a number from 2 to 16`);
      const context = flags.context === undefined ? undefined : wholeNumber('--context', flags.context, 1_000_000, 1);
      end(
        await commands.plan({
          ...{ soc: flags.soc, mode: flags.mode, model: flags.model, bits, context, with: flags.with },
          dims: flags.dims === undefined ? {} : parseDims(flags.dims),
          ...{ isSweep, plot: flags.plot, isJson: flags.json === true },
        }),
      );
    });
}

interface CheckFlags {
  readonly soc?: string;
  readonly mode?: string;
  readonly storedAs?: string;
  readonly costs?: string;
  readonly json?: true;
}

export function addCheck(program: Command, commands: SimCommands, end: (code: number) => void): void {
  program
    .command('check')
    .description('say whether a configuration fits and why: worst-case responses, blocking, load, where each model goes')
    .argument('<config>', 'configuration file (YAML)')
    .option('--soc <profile>', 'on the cores of this chip, with its simulated costs: a name such as car-500 (see configs/soc) or a file')
    .option('--mode <name>', 'with --soc: power mode of the profile; by default its first')
    .option('--stored-as <type>', `with --soc: type that float models are converted to: one of ${NUMBER_TYPES.join(', ')}`)
    .option('--costs <csv>', 'costs of runs from this table: model,core,latency_ms and, if known, worst_ms and dram_mb')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      `\nCosts come from the table if there is one, else from the chip if there is one, else from the manifest.\nExit status 0: every stream that has a guarantee fits; 1: one does not, or there are warnings.\n${examples('check configs/cockpit.yaml', 'check configs/vehicle-500.yaml --soc car-500', 'check configs/cockpit.yaml --soc rk3588 --costs measured.csv', 'check configs/cockpit.yaml --json | jq .fit.streams')}`,
    )
    .action(async (config: string, flags: CheckFlags) => {
      if (flags.soc === undefined && (flags.mode !== undefined || flags.storedAs !== undefined))
        throw new UsageError('--mode and --stored-as are about a chip; add --soc');
      if (flags.costs !== undefined && flags.storedAs !== undefined)
        throw new UsageError('--stored-as is about simulated costs, and --costs replaces them; leave one out');
      end(
        await commands.check({
          config,
          soc: flags.soc,
          mode: flags.mode,
          storedAs: flags.storedAs === undefined ? undefined : storedAs(flags.storedAs),
          costs: flags.costs,
          isJson: flags.json === true,
        }),
      );
    });
}

function wholeNumber(option: string, text: string, max: number, min = 0): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new UsageError(`${option} ${text}: allowed is a whole number from ${min} to ${max}`);
  return value;
}

const storedAs = (text: string): NumberType =>
  oneOf('--stored-as', text, Object.fromEntries(NUMBER_TYPES.map((type) => [type, true])) as Readonly<Record<NumberType, true>>);

/** `crash=1,slow=2` */
function parseFaults(text: string): SimOptions['faults'] {
  const faults: Partial<Record<FaultKind, number>> = {};
  for (const part of text.split(',')) {
    const [kind = '', count = '', ...rest] = part.split('=');
    if (rest.length > 0 || count === '') throw new UsageError(`--faults ${text}: write kind=count, such as crash=1,slow=2`);
    faults[oneOf('--faults', kind, FAULTS)] = wholeNumber(`--faults ${kind}:`, count, FAULTS_MAX);
  }
  return faults;
}

/** `batch=1,height=480`; names have any characters but commas. */
function parseDims(text: string): Readonly<Record<string, number>> {
  const dims = new Map<string, number>();
  for (const part of text.split(',')) {
    const at = part.lastIndexOf('=');
    const name = part.slice(0, Math.max(0, at)).trim();
    if (name === '') throw new UsageError(`--dims ${text}: write name=size,name=size, such as batch=1,height=480`);
    if (dims.has(name)) throw new UsageError(`--dims ${text}: ${name} is given twice`);
    dims.set(name, wholeNumber(`--dims ${name}:`, part.slice(at + 1).trim(), DIM_MAX));
  }
  return Object.fromEntries(dims);
}

/** Of one axis. */
const DIM_MAX = 2 ** 31 - 1;
