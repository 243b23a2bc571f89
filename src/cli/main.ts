#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createConfigFiles } from '../config/config-files.ts';
import { FILE_BYTES_MAX, loadConfig } from '../config/load-config.ts';
import { loadManifest } from '../config/load-manifest.ts';
import type { LanguageDirectory } from '../config/load-scope.ts';
import { loadSoc } from '../config/load-soc.ts';
import { configInvalid, type Problem } from '../config/problem.ts';
import type { ManifestModel, RuntimeConfig } from '../config/runtime-config.ts';
import type { SocProfile } from '../core/soc-profile.ts';
import { createSystemClock } from '../core/system-clock.ts';
import type { CliDeps } from './cli-deps.ts';
import type { FidelityDeps } from './commands/bench-fidelity.ts';
import { EXIT, explain } from './exit-code.ts';
import { type Commands, type ModelsWhere, runProgram } from './program.ts';
import { socFile, socNames } from './soc-file.ts';
import { createTerminal } from './terminal.ts';
import { escapeLines } from './terminal-text.ts';

/** Two folders up from src/cli and from dist/cli alike. */
const PACKAGE_FOLDER = fileURLToPath(new URL('../..', import.meta.url));
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function createDeps(): CliDeps {
  const { version } = JSON.parse(readFileSync(`${PACKAGE_FOLDER}/package.json`, 'utf8')) as { readonly version: string };
  return {
    out: createTerminal(process.stdout),
    err: createTerminal(process.stderr),
    env: process.env,
    clock: createSystemClock(),
    version,
    onSignal: (listener) => {
      for (const signal of SIGNALS) process.on(signal, listener);
      return () => {
        for (const signal of SIGNALS) process.off(signal, listener);
      };
    },
    onExit: (listener) => {
      process.on('exit', listener);
      return () => process.off('exit', listener);
    },
    exitNow: (code) => process.exit(code),
  };
}

const SOC_FOLDER = `${PACKAGE_FOLDER}configs/soc`;
const loadSocOf = (soc: string): SocProfile => loadSoc(socFile(soc, SOC_FOLDER), { files: createConfigFiles() });

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const languagesOf = async (): Promise<LanguageDirectory> => (await import('../runtime/language-directory.ts')).createLanguageDirectory();

type LoadConfig = (file: string) => RuntimeConfig;

/** Each command loads what it needs when it is called, so that `--help` does not wait for the runtime. */
const createCommands = (deps: CliDeps): Commands => ({
  ...runCommands(deps),
  ...simCommands(deps),
  ...proofCommands(deps),
  ...benchCommands(deps),
  ...configCommands(deps),
});

async function loaderOf({ env }: CliDeps): Promise<LoadConfig> {
  const { createCodecDirectory } = await import('../runtime/codec-directory.ts');
  const codecs = createCodecDirectory();
  const languages = await languagesOf();
  return (file) => loadConfig(file, { env, files: createConfigFiles(), codecs, languages });
}

const runCommands = (deps: CliDeps): Pick<Commands, 'run' | 'ask' | 'doctor'> => ({
  run: async (options) => {
    const [{ run }, { startRuntime }] = await Promise.all([import('./commands/run.ts'), import('../runtime/start.ts')]);
    return run(options, { ...deps, loadConfig: await loaderOf(deps), startRuntime });
  },
  ask: async (options) => {
    const { ask } = await import('./commands/ask.ts');
    return ask(options, { ...deps, loadConfig: await loaderOf(deps), fetch });
  },
  doctor: async (options) => {
    const { doctor } = await import('./commands/doctor.ts');
    const [{ createDoctorChecks }, { createDoctorProbe }] = await Promise.all([import('./doctor-checks.ts'), import('./machine.ts')]);
    return doctor(options, { ...deps, checks: createDoctorChecks(createDoctorProbe(PACKAGE_FOLDER, deps.env)) });
  },
});

const simCommands = (deps: CliDeps): Pick<Commands, 'sim' | 'plan'> => ({
  sim: async (options) => {
    const [{ inlineMore }, { sim }, { simulate }, { costsOf, storedAsOn }] = await Promise.all([
      import('./inlining.ts'),
      import('./commands/sim.ts'),
      import('../runtime/simulate.ts'),
      import('../runtime/simulate-costs.ts'),
    ]);
    inlineMore();
    return sim(options, { ...deps, loadConfig: await loaderOf(deps), loadSoc: loadSocOf, costsOf, storedAsOn, simulate, breathe });
  },
  plan: async (options) => {
    const [{ plan }, { planModel }, { modelAt }, { costsOfGraph, planGraph }, { planBeside, planNetworkBeside }, { costsOf, storedAsOn }] =
      await Promise.all([
        import('./commands/plan.ts'),
        import('../runtime/plan-model.ts'),
        import('../runtime/model-at.ts'),
        import('../runtime/plan-file.ts'),
        import('../runtime/plan-beside.ts'),
        import('../runtime/simulate-costs.ts'),
      ]);
    // These models are only described, so nobody looks into folders.
    const models = () =>
      modelsOfManifest(`${PACKAGE_FOLDER}configs/manifests/language.yaml`, deps).flatMap(({ id, shape }) =>
        shape?.kind === 'language' ? [{ name: id, shape }] : [],
      );
    return plan(options, {
      ...deps,
      ...{ loadConfig: await loaderOf(deps), loadSoc: loadSocOf, socs: () => socNames(SOC_FOLDER).map(loadSocOf), models },
      ...{ planModel, modelAt, planGraph, planBeside, storedAsOn, costsOf },
      planGraphBeside: (request, network) => planNetworkBeside(request, costsOfGraph(network)),
    });
  },
});

const proofCommands = (deps: CliDeps): Pick<Commands, 'check' | 'analyze'> => ({
  check: async (options) => {
    const [{ check }, { formatWarning, lintConfig }, { checkConfig, kindNamesOf }, { costsOf, storedAsOn }, { loadRunCosts }] =
      await Promise.all([
        import('./commands/check.ts'),
        import('../config/lint-config.ts'),
        import('../runtime/check-config.ts'),
        import('../runtime/simulate-costs.ts'),
        import('../config/load-run-costs.ts'),
      ]);
    return check(options, {
      ...deps,
      ...{ loadConfig: await loaderOf(deps), lintConfig, formatWarning, loadSoc: loadSocOf, costsOf, storedAsOn, kindNamesOf, checkConfig },
      loadRunCosts: (file, names) => loadRunCosts(file, names, { files: createConfigFiles() }),
    });
  },
  analyze: async (options) => {
    const [{ analyzeCommand }, { analyze, misfitsOf }, { loadTaskSet }, { readStandardInput }] = await Promise.all([
      import('./commands/analyze.ts'),
      import('../runtime/analysis.ts'),
      import('../config/load-task-set.ts'),
      import('./text-file.ts'),
    ]);
    const files = createConfigFiles();
    const read = (file: string, bytesMax: number) => (file === '-' ? readStandardInput(bytesMax) : files.read(file, bytesMax));
    const load = (file: string, test: typeof options.test) =>
      loadTaskSet(file, { files: { ...files, read }, misfits: (set) => misfitsOf(test, set) });
    return analyzeCommand(options, { ...deps, loadTaskSet: load, analyze });
  },
});

const benchCommands = (deps: CliDeps): Pick<Commands, 'benchXrbench' | 'benchSuite' | 'benchFidelity' | 'benchPredict'> => ({
  benchXrbench: async (options) => {
    const [{ benchXrbench }, { nearest }] = await Promise.all([import('./commands/bench.ts'), import('../config/nearest.ts')]);
    const readText = (file: string) => new TextDecoder().decode(createConfigFiles().read(file, FILE_BYTES_MAX));
    const folder = `${PACKAGE_FOLDER}configs/xrbench`;
    const defaults = { scenarios: `${folder}/scenarios.csv`, configurations: `${folder}/configurations.csv` };
    return benchXrbench(options, { ...deps, nearest, readText, defaults });
  },
  benchSuite: async (options) => {
    const [{ benchSuite }, { playSuite }, { loadBenchSuite }] = await Promise.all([
      import('./commands/bench-suite.ts'),
      import('../bench/suite/play-suite.ts'),
      import('../config/load-bench-suite.ts'),
    ]);
    const loadSuite = (file: string) => loadBenchSuite(file, { files: createConfigFiles() });
    const defaultFile = (name: string) => `${PACKAGE_FOLDER}configs/bench/${name}.yaml`;
    return benchSuite(options, { ...deps, loadSuite, loadSoc: loadSocOf, defaultFile, playSuite, breathe });
  },
  benchFidelity: async (options) => (await import('./commands/bench-fidelity.ts')).benchFidelity(options, await fidelityDeps(deps)),
  benchPredict: async (options) => (await import('./commands/bench-fidelity.ts')).benchPredict(options, await fidelityDeps(deps)),
});

const configCommands = (deps: CliDeps): Pick<Commands, 'modelsList' | 'modelsVerify' | 'configSchema' | 'configPrint'> => ({
  modelsList: async (where, options) =>
    (await import('./commands/models.ts')).modelsList(options, { ...deps, models: await modelsOf(where, deps) }),
  modelsVerify: async (where, options) =>
    (await import('./commands/models.ts')).modelsVerify(options, { ...deps, models: await modelsOf(where, deps) }),
  configSchema: async () => {
    const [{ configSchemaCommand }, { configJsonSchema }] = await Promise.all([
      import('./commands/config.ts'),
      import('../config/json-schema.ts'),
    ]);
    return configSchemaCommand({ ...deps, configJsonSchema });
  },
  configPrint: async (file) => {
    const [{ configPrintCommand }, { printConfig }] = await Promise.all([
      import('./commands/config.ts'),
      import('../config/print-config.ts'),
    ]);
    return configPrintCommand(file, { ...deps, loadConfig: await loaderOf(deps), printConfig });
  },
});

async function modelsOf({ config, manifest }: ModelsWhere, deps: CliDeps): Promise<readonly ManifestModel[]> {
  return manifest === undefined && config !== undefined
    ? (await loaderOf(deps))(config).models
    : modelsOfManifest(manifest ?? `${PACKAGE_FOLDER}configs/models.yaml`, deps, await languagesOf());
}

/** The lists of networks that come with Coxswain are longer than what others write. */
const FACT_BYTES_MAX = 2 ** 20;

async function fidelityDeps(deps: CliDeps): Promise<FidelityDeps> {
  const [{ editSoc }, { tablesIn, writeText }] = await Promise.all([import('../config/edit-soc.ts'), import('./text-file.ts')]);
  const folder = `${PACKAGE_FOLDER}configs/fidelity`;
  return {
    ...{ ...deps, editSoc, tablesIn, writeText, loadSoc: loadSocOf, socs: () => socNames(SOC_FOLDER).map(loadSocOf) },
    readText: (file) => new TextDecoder().decode(createConfigFiles().read(file, file.startsWith(folder) ? FACT_BYTES_MAX : FILE_BYTES_MAX)),
    socPath: (id) => `${SOC_FOLDER}/${id}.yaml`,
    factFiles: {
      languageModels: `${folder}/language-models.csv`,
      networks: `${folder}/networks.csv`,
      networkLayers: `${folder}/network-layers.csv`,
    },
  };
}

function modelsOfManifest(file: string, { env }: CliDeps, languages?: LanguageDirectory): readonly ManifestModel[] {
  const problems: Problem[] = [];
  const manifest = loadManifest(
    file,
    FILE_BYTES_MAX,
    { env, files: createConfigFiles(), ...(languages === undefined ? {} : { languages }) },
    problems,
  );
  if (manifest === undefined || problems.length > 0) throw configInvalid(problems);
  return manifest.models;
}

/** Waits until what was printed has left; a reader that is gone counts as having it. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve();
    else stream.write('', () => resolve());
  });

const deps = createDeps();
const die = (thrown: unknown): void => {
  deps.err.write(`coxswain: ${escapeLines(explain(thrown))}\n`);
  // The cursor is given back and the core processes end with this one.
  process.exit(EXIT.internal);
};
process.on('uncaughtException', die);
process.on('unhandledRejection', die);

const status = await runProgram(process.argv.slice(2), createCommands(deps), deps);
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
process.exit(status);
