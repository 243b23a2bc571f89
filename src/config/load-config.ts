import { dirname, isAbsolute, join, resolve } from 'node:path';
import { CoxswainError, messageOf } from '../core/errors.ts';
import { durationFromMs } from '../core/units.ts';
import { convertActions } from './actions-section.ts';
import { checkSchema } from './check-schema.ts';
import { type ConfigSection, configSchema } from './config-schema.ts';
import { convertHttp } from './convert-http.ts';
import { convertModes } from './convert-modes.ts';
import { convertMqtt } from './convert-mqtt.ts';
import { convertPipelines, windowSamplesOf } from './convert-pipelines.ts';
import { convertScheduler } from './convert-scheduler.ts';
import { convertSource } from './convert-source.ts';
import { deepFreeze } from './deep-freeze.ts';
import type { DeviceSection } from './device-schema.ts';
import type { LimitsSection } from './limits-schema.ts';
import { loadManifest, type Manifest } from './load-manifest.ts';
import { type LoadDeps, LoadScope } from './load-scope.ts';
import { configInvalid, type Problem, printable } from './problem.ts';
import type { DeviceConfig, LimitsConfig, RuntimeConfig } from './runtime-config.ts';
import { parseYaml, YamlDocument } from './yaml-document.ts';

/**
 * Longer files are refused before they are parsed: 64 entries of a manifest take some 45 kB, and the worst of 40 hostile patterns takes 0.7 s of
 * processor time at this length.
 */
export const FILE_BYTES_MAX = 65_536;

/**
 * Reads a configuration and its manifest, checks everything that can be checked without opening a model or a device, and freezes the result.
 *
 * Errors: FILE_UNREADABLE for the configuration file itself; CONFIG_INVALID for all else, with one line `file:line:column: key: text` per problem.
 */
export function loadConfig(file: string, deps: LoadDeps): RuntimeConfig {
  const problems: Problem[] = [];
  const document = parseYaml(file, deps.files.read(file, FILE_BYTES_MAX));
  if (!(document instanceof YamlDocument)) throw configInvalid(document);
  const section = checkSchema(configSchema, document, problems);
  if (section === undefined) throw configInvalid(problems);
  const scope = new LoadScope(document, deps, problems);
  const manifest = readManifest(section, scope);
  const config = assemble(section, manifest, scope);
  if (problems.length > 0) throw configInvalid(problems);
  return deepFreeze(config);
}

function readManifest(section: ConfigSection, scope: LoadScope): Manifest | undefined {
  // Named as the user named the configuration, so that both kinds of message look alike.
  const file = isAbsolute(section.models) ? section.models : join(dirname(scope.document.file), section.models);
  try {
    return loadManifest(file, FILE_BYTES_MAX, scope.deps, scope.problems);
  } catch (thrown) {
    if (!(thrown instanceof CoxswainError)) throw thrown;
    scope.refuse(['models'], `the manifest cannot be read: ${printable(messageOf(thrown))}`);
    return undefined;
  }
}

function assemble(section: ConfigSection, manifest: Manifest | undefined, scope: LoadScope): RuntimeConfig {
  const sections = new Map(Object.entries(section.pipelines));
  const sources = Object.entries(section.sources).map(([id, source]) =>
    convertSource(id, source, windowSamplesOf(id, sections, manifest?.models ?? []), scope),
  );
  const coreCount = section.device.cores.length;
  const known = new Set(sections.keys());
  const pipelines = convertPipelines(sections, { sources, models: manifest?.models, coreCount }, scope);
  const mqtt = convertMqtt(section.mqtt, section.node, scope);
  return {
    version: section.version,
    node: section.node,
    manifest: manifest?.file ?? { file: '', root: '' },
    models: manifest?.models ?? [],
    device: convertDevice(section.device, scope),
    sources,
    pipelines,
    scheduler: convertScheduler(section.scheduler, pipelines, known, scope),
    modes: section.modes === undefined ? undefined : convertModes(section.modes, pipelines, known, scope),
    mqtt,
    actions: section.actions === undefined ? undefined : convertActions(section.actions, section.node, mqtt, scope),
    http: section.http === undefined ? undefined : convertHttp(section.http, scope),
    runtime: convertLimits(section.runtime, scope),
    origin: { file: resolve(scope.document.file), positions: scope.document.positions() },
  };
}

function convertDevice({ kind, cores }: DeviceSection, scope: LoadScope): DeviceConfig {
  return {
    kind,
    cores: cores.map(({ cpu, niceness, idle, realtime, memoryMb }, core) => {
      if (realtime !== undefined && (idle || niceness > 0))
        scope.refuse(['device', 'cores', core, 'realtime'], `got ${realtime}; allowed is none for a core that yields (idle, niceness)`);
      return { cpu, niceness, isIdle: idle, ...(realtime === undefined ? {} : { realtime }), memoryBytes: memoryMb * 2 ** 20 };
    }),
  };
}

function convertLimits({ hardTimeout, restart, ...section }: LimitsSection, scope: LoadScope): LimitsConfig {
  const { floorMs, factor, ceilingMs } = hardTimeout;
  if (ceilingMs < floorMs)
    scope.refuse(['runtime', 'hardTimeout', 'ceilingMs'], `got ${ceilingMs}; allowed is floorMs (${floorMs}) or more`);
  return {
    drainUs: durationFromMs(section.drainMs),
    workers: section.workers,
    arenaBytes: section.arenaMb * 2 ** 20,
    hardTimeout: { floorUs: durationFromMs(floorMs), factor, ceilingUs: durationFromMs(ceilingMs) },
    restart: {
      max: restart.max,
      withinUs: durationFromMs(restart.withinMs),
      probeAfterUs: durationFromMs(restart.probeAfterMs),
      backoffUs: durationFromMs(restart.backoffMs),
    },
    seed: section.seed,
  };
}
