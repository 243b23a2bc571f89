import type { Command } from 'commander';
import type { BenchFidelityOptions, BenchPredictOptions } from './commands/bench-fidelity.ts';

const FIDELITY_HELP = `
Tables of measurements are known by their columns; other CSV files of the folder are named and left out. What a row counts as, and how far off the model is
without it, is printed with it.

Examples:
  $ coxswain bench fidelity calibration/
  $ coxswain bench fidelity calibration/ --json
  $ coxswain bench fidelity calibration/ --write`;

const PREDICT_HELP = `
Rows of chips that another profile is known for are left out, and named. What a row does not tell is assumed, and the row says what; one that does not fit the
memory says so. Figures that cannot be, such as sides of zero or more cores than the chip has, are refused.

Examples:
  $ coxswain bench predict rk3588 rknn_model_zoo_fps.csv
  $ coxswain bench predict orin-nano jetson_llm.csv --json
  $ coxswain bench predict my-board.yaml rows.csv`;

/** What the commands about measurements do. */
export interface FidelityCommands {
  readonly benchFidelity: (options: BenchFidelityOptions) => Promise<number>;
  readonly benchPredict: (options: BenchPredictOptions) => Promise<number>;
}

/** `bench fidelity` and `bench predict`. */
export function addBenchFidelity(bench: Command, commands: FidelityCommands, end: (code: number) => void): void {
  bench
    .command('fidelity')
    .description('fit the cost model to published measurements, and print how far off it is on each')
    .argument('<folder>', 'folder of tables (CSV)')
    .option(
      '--write',
      'put the fitted constants into the profiles that come with coxswain, with what they were fitted on, and into those that take them from there',
    )
    .option('--json', 'print the result as JSON')
    .addHelpText('after', FIDELITY_HELP)
    .action(async (folder: string, flags: { readonly write?: true; readonly json?: true }) => {
      end(await commands.benchFidelity({ folder, doWrite: flags.write === true, isJson: flags.json === true }));
    });
  bench
    .command('predict')
    .description('predict measurements on a profile: tokens a second of language models, latency or frames a second of networks')
    .argument('<profile>', 'chip: a name such as rk3588 (see configs/soc) or a file')
    .argument('<rows>', 'table (CSV) in a format of bench fidelity; figures to compare with may be empty')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', PREDICT_HELP)
    .action(async (soc: string, rows: string, flags: { readonly json?: true }) => {
      end(await commands.benchPredict({ soc, rows, isJson: flags.json === true }));
    });
}
