import { tensorBytes } from '../core/model.ts';
import { msFromDuration } from '../core/units.ts';
import { formatProblem, type KeyPath, keyText } from './problem.ts';
import type { ManifestModel, PipelineConfig, Position, RuntimeConfig } from './runtime-config.ts';

/** Something allowed that is probably not meant. */
export interface Warning {
  readonly file: string;
  readonly position: Position;
  readonly key: string;
  readonly text: string;
}

export const formatWarning = (warning: Warning): string => formatProblem(warning);

type Report = (path: KeyPath, text: string) => void;

/** Frames of a source that are alive at once at the least: one being written, one being read. */
const FRAMES_ALIVE = 2;

/** Warnings in the order of the file. A configuration with warnings runs; one that does not load has none. */
export function lintConfig(config: RuntimeConfig): readonly Warning[] {
  const warnings: Warning[] = [];
  const report: Report = (path, text) => {
    warnings.push({ file: config.origin.file, position: positionOf(config, path), key: keyText(path), text });
  };
  for (const pipeline of config.pipelines) lintPipeline(pipeline, config, report);
  lintSources(config, report);
  lintCores(config, report);
  lintMemory(config, report);
  lintMqtt(config, report);
  if (config.http !== undefined && config.pipelines.every(({ answer }) => answer === undefined))
    report(['http'], 'no pipeline runs a language model, so there is nothing that clients could ask');
  return warnings.sort((a, b) => a.position.line - b.position.line || a.position.column - b.position.column);
}

/** Of the key itself or, when it was left to its default, of the nearest section around it. */
function positionOf({ origin }: RuntimeConfig, path: KeyPath): Position {
  for (let length = path.length; length > 0; length -= 1) {
    const key = keyText(path.slice(0, length));
    const position = Object.hasOwn(origin.positions, key) ? origin.positions[key] : undefined;
    if (position !== undefined) return position;
  }
  return { line: 1, column: 1 };
}

const modelOf = (config: RuntimeConfig, pipeline: PipelineConfig): ManifestModel | undefined =>
  config.models.find(({ id }) => id === pipeline.stream.model);

const ms = (us: number): string => `${Number((us / 1000).toPrecision(4))} ms`;
const mb = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

function lintPipeline(pipeline: PipelineConfig, config: RuntimeConfig, report: Report): void {
  const { id, stream, staleAfterUs, input } = pipeline;
  const path: KeyPath = ['pipelines', id];
  const model = modelOf(config, pipeline);
  if (model === undefined) return;
  if (stream.deadlineUs < model.costUs) {
    report(
      [...path, 'deadlineMs'],
      `${ms(stream.deadlineUs)} is shorter than the ${ms(model.costUs)} that one job of ${model.id} takes; every job will be dropped as infeasible`,
    );
  }
  if (staleAfterUs > stream.deadlineUs) {
    report(
      [...path, 'staleAfterMs'],
      `longer than deadlineMs (${msFromDuration(stream.deadlineUs)}); older frames can no longer be in time`,
    );
  }
  if (stream.freshness.kind === 'queue') {
    const waitUs = stream.freshness.jobsMax * model.costUs;
    if (waitUs > stream.deadlineUs) {
      report(
        [...path, 'freshness'],
        `the last of ${stream.freshness.jobsMax} waiting jobs has ${ms(waitUs)} of work before it, more than deadlineMs; the queue is longer than of use`,
      );
    }
  } else if (stream.isStateful) {
    report([...path, 'freshness'], `${model.id} remembers earlier frames, and latest leaves some out; use { queue: <jobs> }`);
  }
  if (input.kind === 'pipeline') {
    const parent = config.pipelines.find((candidate) => candidate.id === input.pipeline);
    const parentCostUs = parent === undefined ? 0 : (modelOf(config, parent)?.costUs ?? 0);
    if (stream.deadlineUs >= model.costUs && stream.deadlineUs < parentCostUs + model.costUs) {
      report(
        [...path, 'deadlineMs'],
        `counts from capture, and ${input.pipeline} alone takes ${ms(parentCostUs)} of it; no job can be in time`,
      );
    }
  }
  if (model.costUs > config.runtime.hardTimeout.ceilingUs) {
    report(
      ['runtime', 'hardTimeout', 'ceilingMs'],
      `shorter than the ${ms(model.costUs)} that ${model.id} takes; its core would be killed each time`,
    );
  }
}

function lintSources(config: RuntimeConfig, report: Report): void {
  const used = new Set(config.pipelines.flatMap(({ input }) => (input.kind === 'source' ? [input.source] : [])));
  for (const { id } of config.sources) {
    if (!used.has(id)) report(['sources', id], 'no pipeline takes this source');
  }
}

/** Load of the `safety` streams, which have to be in time: per core for those with one core, in all for the rest. */
function lintCores({ device, pipelines, ...config }: RuntimeConfig, report: Report): void {
  const steadyCount = device.cores.filter(({ isIdle }) => !isIdle).length;
  const coreCount = steadyCount > 0 ? steadyCount : device.cores.length;
  const pinned = new Array<number>(device.cores.length).fill(0);
  let total = 0;
  for (const pipeline of pipelines) {
    const idle = pipeline.cores?.find((core) => device.cores[core]?.isIdle === true);
    if (idle !== undefined && pipeline.stream.criticality !== 'background' && pipeline.answer === undefined)
      report(['pipelines', pipeline.id, 'cores'], `core ${idle} is idle and has only what others leave; nothing can be promised there`);
    if (pipeline.stream.criticality !== 'safety') continue;
    const model = config.models.find(({ id }) => id === pipeline.stream.model);
    const load = (model?.costUs ?? 0) / pipeline.stream.periodUs;
    total += load;
    // A stateful model has one owner core, and any stream that needs more than a core cannot be kept up by one job after the other.
    if (load > 1 && pipeline.stream.isStateful) {
      report(['pipelines', pipeline.id, 'model'], `its one core would be busy ${percent(load)}; at most 100 % can be kept up`);
    }
    const [core] = pipeline.cores ?? [];
    if (pipeline.cores?.length === 1 && core !== undefined) pinned[core] = (pinned[core] ?? 0) + load;
  }
  for (const [core, load] of pinned.entries()) {
    if (load > 1)
      report(['device', 'cores', core], `its own safety streams would keep it busy ${percent(load)}; at most 100 % can be kept up`);
  }
  if (total > coreCount) {
    report(['device', 'cores'], `all safety streams together need ${total.toFixed(2)} cores, and there are ${coreCount}`);
  }
  for (const [core, { cpu, isIdle }] of device.cores.entries()) {
    // One that only has what is left over is there to share.
    const other = isIdle ? core : device.cores.findIndex((candidate) => candidate.cpu === cpu && !candidate.isIdle);
    if (cpu !== undefined && other < core)
      report(['device', 'cores', core, 'cpu'], `core ${other} is pinned to CPU ${cpu} too; they take turns`);
  }
}

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

function lintMemory(config: RuntimeConfig, report: Report): void {
  const { device, pipelines, runtime } = config;
  for (const pipeline of pipelines) {
    const memoryBytes = modelOf(config, pipeline)?.memoryBytes ?? 0;
    const cores = pipeline.cores ?? device.cores.keys();
    const largest = Math.max(...[...cores].map((core) => device.cores[core]?.memoryBytes ?? 0));
    if (memoryBytes > largest) {
      report(['pipelines', pipeline.id, 'model'], `takes ${mb(memoryBytes)}, more than any core it may run on has (${mb(largest)})`);
    }
  }
  const neededBytes = arenaNeed(config);
  if (neededBytes > runtime.arenaBytes) {
    report(['runtime', 'arenaMb'], `frames and tensors need at least ${mb(neededBytes)}; frames will be rejected as no-memory`);
  }
}

/** The least that can be enough: two frames per camera, and the tensors of one job per pipeline. */
function arenaNeed(config: RuntimeConfig): number {
  let bytes = 0;
  for (const source of config.sources) {
    const leaves = source.kind === 'first-of' ? source.sources : [source];
    const frames = leaves.map((leaf) => ('width' in leaf ? leaf.width * leaf.height * 3 : 0));
    bytes += FRAMES_ALIVE * Math.max(...frames);
  }
  for (const pipeline of config.pipelines) {
    const model = modelOf(config, pipeline);
    for (const tensor of [...(model?.inputs ?? []), ...(model?.outputs ?? [])]) bytes += tensorBytes(tensor);
  }
  return bytes;
}

function lintMqtt({ mqtt, pipelines, origin }: RuntimeConfig, report: Report): void {
  if (mqtt.broker.kind === 'none') {
    for (const { id, sinks } of pipelines) {
      const isAsked = Object.hasOwn(origin.positions, `pipelines.${id}.sinks`);
      if (isAsked && sinks.includes('mqtt')) report(['pipelines', id, 'sinks'], 'mqtt is a sink, but mqtt.broker is none');
    }
  }
  if (mqtt.broker.kind === 'external') {
    if (Object.hasOwn(origin.positions, 'mqtt.port'))
      report(['mqtt', 'port'], 'only the embedded broker takes it; write it into the address');
    const isPlain = mqtt.broker.url.startsWith('mqtt:') && !/^mqtt:\/\/(localhost|127\.|\[::1\])/.test(mqtt.broker.url);
    if (isPlain && mqtt.password !== undefined) report(['mqtt', 'broker'], 'the password is sent without encryption; use mqtts://');
  } else if (mqtt.username !== undefined || mqtt.password !== undefined) {
    report(['mqtt', mqtt.username === undefined ? 'password' : 'username'], `not used with broker ${mqtt.broker.kind}`);
  }
}
