import type { Warning } from '../../config/lint-config.ts';
import type { RunCostNames, RunCostTable } from '../../config/load-run-costs.ts';
import type { ManifestModel, RuntimeConfig } from '../../config/runtime-config.ts';
import type { NumberType } from '../../core/layer-cost.ts';
import type { SocProfile } from '../../core/soc-profile.ts';
import { msFromDuration } from '../../core/units.ts';
import type { Checked, CheckRequest } from '../../runtime/check-config.ts';
import type { Fit, StreamFit } from '../../runtime/fit.ts';
import { modelsUsed } from '../../runtime/models-used.ts';
import type { Chip } from '../../runtime/on-chip.ts';
import type { ModelCosts } from '../../runtime/simulate-costs.ts';
import type { CliDeps } from '../cli-deps.ts';
import { EXIT } from '../exit-code.ts';
import { formatBytes, formatMs } from '../figures-text.ts';
import { type Cell, type Column, leftOut, renderGrid } from '../grid.ts';
import { choosePaint, type Paint } from '../paint.ts';
import { modeOf } from '../soc-mode.ts';
import { escapeText } from '../terminal-text.ts';

export interface CheckOptions {
  readonly config: string;
  /** A chip in place of the configuration's cores. */
  readonly soc: string | undefined;
  readonly mode: string | undefined;
  readonly storedAs: NumberType | undefined;
  /** A table of run costs. */
  readonly costs: string | undefined;
  readonly isJson: boolean;
}

export interface CheckDeps extends Pick<CliDeps, 'out' | 'env'> {
  readonly loadConfig: (file: string) => RuntimeConfig;
  readonly lintConfig: (config: RuntimeConfig) => readonly Warning[];
  readonly formatWarning: (warning: Warning) => string;
  readonly loadSoc: (soc: string) => SocProfile;
  readonly storedAsOn: (profile: SocProfile) => NumberType;
  readonly costsOf: (model: ManifestModel, storedAs: NumberType) => ModelCosts;
  readonly kindNamesOf: (chip: Chip | undefined) => readonly string[];
  readonly loadRunCosts: (file: string, names: RunCostNames) => RunCostTable;
  readonly checkConfig: (request: CheckRequest) => Checked;
}

/**
 * Says what a configuration would do, and whether it fits, without starting anything. 0: it fits; 1: it does not, or there are warnings; errors come as
 * CoxswainError.
 */
export function check(options: CheckOptions, deps: CheckDeps): number {
  const request = requestOf(options, deps);
  const checked = deps.checkConfig(request);
  const { config, placement, fit, kinds, told } = checked;
  const warnings = deps.lintConfig(config);
  const { out } = deps;
  const { chip, costs = [] } = request;
  const models = costs.map(({ model, origin, told: how }) => ({ model, origin, told: how }));
  if (options.isJson) {
    const soc = chip === undefined ? null : { id: chip.profile.id, mode: chip.mode.id };
    out.write(
      `${JSON.stringify({ node: config.node, file: config.origin.file, soc, costs: { told, models }, kinds, warnings, placement, fit })}\n`,
    );
  } else {
    const lines = [
      ...warnings.map((warning) => `warning: ${escapeText(deps.formatWarning(warning))}`),
      ...models.map((row) => `${escapeText(row.model)}: ${escapeText(row.told)}`),
      ...(models.length > 0 ? [''] : []),
      ...checkLines(checked, { columns: out.columns(), paint: choosePaint(out.isTty, deps.env) }),
    ];
    for (const line of lines) out.write(`${line}\n`);
  }
  return !fit.fits || warnings.length + placement.problems.length > 0 ? EXIT.findings : EXIT.fine;
}

function requestOf(options: CheckOptions, deps: CheckDeps): CheckRequest {
  const config = deps.loadConfig(options.config);
  const profile = options.soc === undefined ? undefined : deps.loadSoc(options.soc);
  const chip = profile === undefined ? undefined : { profile, mode: modeOf(profile, options.mode) };
  const used = modelsUsed(config.pipelines);
  const request = { config, ...(chip === undefined ? {} : { chip }) };
  if (options.costs !== undefined) {
    const names = { models: config.models.map(({ id }) => id), used: [...used], coreKinds: deps.kindNamesOf(chip) };
    return { ...request, table: deps.loadRunCosts(options.costs, names) };
  }
  if (profile === undefined) return request;
  const storedAs = options.storedAs ?? deps.storedAsOn(profile);
  return { ...request, costs: config.models.filter(({ id }) => used.has(id)).map((model) => deps.costsOf(model, storedAs)) };
}

const STREAM_COLUMNS: readonly Column[] = [
  { title: 'stream', align: 'left', rank: 0, shrinksTo: 8 },
  { title: 'class', align: 'left', rank: 6 },
  { title: 'in time', align: 'left', rank: 0 },
  { title: 'worst ms', align: 'right', rank: 1 },
  { title: 'limit ms', align: 'right', rank: 2 },
  { title: 'cost ms', align: 'right', rank: 4 },
  { title: 'period ms', align: 'right', rank: 5 },
  { title: 'blocked ms', align: 'right', rank: 8 },
  { title: 'may run ms', align: 'right', rank: 7 },
  { title: 'cost x', align: 'right', rank: 3 },
  { title: 'reaction ms', align: 'right', rank: 9 },
  { title: 'bus GB/s', align: 'right', rank: 10 },
  { title: 'model', align: 'left', rank: 11, shrinksTo: 8 },
];

const CORE_COLUMNS: readonly Column[] = [
  { title: 'core', align: 'left', rank: 0 },
  { title: 'guaranteed', align: 'right', rank: 0 },
  { title: 'expected load', align: 'right', rank: 0 },
  { title: 'memory', align: 'right', rank: 2 },
  { title: 'of', align: 'right', rank: 2 },
  { title: 'streams at home here', align: 'left', rank: 1, shrinksTo: 12 },
];

/** Where cores are of several kinds. */
const MIXED_CORE_COLUMNS: readonly Column[] = [
  ...CORE_COLUMNS.slice(0, 1),
  { title: 'kind', align: 'left', rank: 0 },
  ...CORE_COLUMNS.slice(1),
];

interface Look {
  readonly columns: number;
  readonly paint: Paint;
}

function checkLines({ config, placement, fit, kinds, told }: Checked, { columns, paint }: Look): string[] {
  const isMixed = new Set(kinds).size > 1;
  const rows = streamRows(config, fit);
  const hidden = leftOut(STREAM_COLUMNS, rows, columns);
  const cores = placement.cores.map(({ core, loadRatio, memoryBytes, streams: ids }): Cell[] => [
    { text: String(core), tone: 'bold' },
    ...(isMixed ? [{ text: escapeText(kinds[core] ?? '') }] : []),
    { text: percent(fit.cores.find((row) => row.core === core)?.loadRatio ?? 0) },
    // Above 100 % background work is dropped by design; what hard streams cannot stand is in `problems`.
    { text: percent(loadRatio), tone: loadRatio > 1 ? 'yellow' : 'green' },
    { text: formatBytes(memoryBytes) },
    { text: formatBytes(config.device.cores[core]?.memoryBytes ?? null) },
    { text: ids.map(escapeText).join(', ') },
  ]);
  const reasons = placement.models.map(({ model, cores: where, split = 1, reason }) => {
    const [home, others] = [where.slice(0, split), where.slice(split)];
    const also = others.length === 0 ? '' : `, also on ${others.join(', ')}`;
    const on = split === 1 ? `core ${home[0] ?? '-'}` : `cores ${home.join(', ')} at once`;
    const { build, steps } = config.models.find(({ id }) => id === model) ?? {};
    const cut = steps?.kind === 'blocks' ? `, in ${steps.shares.length} blocks` : '';
    return `${escapeText(model)} on ${on}${also}${cut}: ${escapeText(reason)}${build === undefined ? '' : ` (${escapeText(build)})`}`;
  });
  return [
    paint(`node ${escapeText(config.node)}, ${escapeText(config.origin.file)}`, 'bold'),
    `costs: ${escapeText(told)}`,
    '',
    ...renderGrid(STREAM_COLUMNS, rows, columns, paint),
    ...(hidden.length === 0 ? [] : [paint(`no room for ${hidden.join(', ')}; a wider terminal, a pipe or --json has them`, 'dim')]),
    '',
    ...renderGrid(isMixed ? MIXED_CORE_COLUMNS : CORE_COLUMNS, cores, columns, paint),
    '',
    ...reserveLines(fit),
    ...chipLines(fit),
    ...reasons,
    '',
    paint(verdictText(fit, config), fit.fits ? 'green' : 'red'),
    ...fit.advice.map((advice) => escapeText(advice)),
    ...placement.problems.map((problem) => paint(`problem: ${escapeText(problem)}`, 'red')),
  ];
}

/** What streams with a server can count on. */
function reserveLines({ streams }: Fit): string[] {
  const lines = streams.flatMap(({ id, core, reserve }) => {
    if (reserve === undefined) return [];
    const { server, budgetUs, periodUs, stepUs, firstTokenUs, isToken } = reserve;
    const share = `${formatMs(budgetUs / 1000)} ms in every ${formatMs(periodUs / 1000)} ms (${percent(budgetUs / periodUs)}) on core ${core}`;
    const step = stepUs === null ? '' : `, so a ${isToken ? 'token' : 'run'} takes at most ${formatMs(stepUs / 1000)} ms`;
    const first =
      firstTokenUs === null
        ? ''
        : `, and the first of the longest prompt ${formatMs(firstTokenUs / 1000)} ms if no other turn is under way`;
    return [`server ${escapeText(server)}: ${escapeText(id)} has ${share}${stepUs === null ? ', not sure' : ''}${step}${first}`];
  });
  return lines.length === 0 ? [] : [...lines, ''];
}

function chipLines({ bus, memory, power }: Fit): string[] {
  const inGb = (bytes: number): string => three(bytes / 1e9);
  const share = (bytes: number, ratio: number): string => `${inGb(bytes)} GB/s (${percent(ratio)})`;
  return [
    ...(bus === null
      ? []
      : [
          `bus     ${share(bus.guaranteedBytesPerSecond, bus.guaranteedRatio)} guaranteed, ${share(bus.demandedBytesPerSecond, bus.demandedRatio)} with background work, of ${inGb(bus.usableBytesPerSecond)} GB/s usable${bus.budgetedBytesPerSecond === 0 ? '' : `, budgets ${inGb(bus.budgetedBytesPerSecond)} GB/s`}`,
        ]),
    ...(memory === null ? [] : [`memory  ${formatBytes(memory.neededBytes)} of models in ${formatBytes(memory.haveBytes)}`]),
    ...(power === null
      ? []
      : [
          `power   at most ${three(power.demandedW)} W on average and ${three(power.peakW)} W at once, of ${three(power.modeW)} W; the die settles below ${three(power.dieC)} degC, and ${three(power.throttleC)} lowers its clock`,
        ]),
    ...(bus === null && memory === null && power === null ? [] : ['']),
  ];
}

const ASSURANCES: Readonly<Record<StreamFit['assurance'], Pick<Cell, 'text' | 'tone'>>> = {
  always: { text: 'always', tone: 'green' },
  'look-ahead': { text: 'look-ahead', tone: 'green' },
  none: { text: 'not sure', tone: 'red' },
  unguarded: { text: '-', tone: 'dim' },
};

const RESERVED: Cell = { text: 'reserved', tone: 'green' };

/** Its budget is sure, and of its deadlines nothing is known. */
const isOnlyReserved = ({ assurance, reserve, responseUs }: StreamFit): boolean =>
  reserve !== undefined && assurance !== 'none' && responseUs === null;

function streamRows(config: RuntimeConfig, fit: Fit): Cell[][] {
  const inMs = (us: number | null): string => formatMs(us === null ? null : us / 1000);
  return config.pipelines.map(({ stream }): Cell[] => {
    const found = fit.streams.find(({ id }) => id === stream.id);
    const reactionUs = fit.pipelines.find(({ id }) => id === stream.id)?.reactionUs ?? null;
    return [
      { text: escapeText(stream.id), tone: 'bold' },
      { text: stream.criticality },
      found === undefined ? ASSURANCES.unguarded : isOnlyReserved(found) ? RESERVED : ASSURANCES[found.assurance],
      { text: inMs(found?.responseUs ?? null) },
      { text: formatMs(msFromDuration(stream.deadlineUs)) },
      { text: inMs(found?.costUs ?? null) },
      { text: formatMs(msFromDuration(stream.periodUs)) },
      { text: inMs(found?.blockingUs ?? null) },
      { text: inMs(found?.runUsMax ?? null) },
      { text: found?.costFactorMax == null ? '-' : String(found.costFactorMax) },
      { text: inMs(reactionUs) },
      { text: found?.busBytesPerSecond == null ? '-' : three(found.busBytesPerSecond / 1e9) },
      { text: escapeText(stream.model) },
    ];
  });
}

const three = (value: number): string => String(Number(value.toPrecision(3)));
const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

function verdictText({ fits, assurance, policy, power, memory, outOfWindow, notComputed, streams }: Fit, config: RuntimeConfig): string {
  const named = (rows: readonly StreamFit[]): string => rows.map(({ id }) => escapeText(id)).join(', ');
  // Turns without a server: nobody knows how long what is said will be, nor how much of it there is.
  const open = streams.filter((stream) => stream.assurance === 'unguarded' && stream.criticality !== 'background');
  const reserved = streams.filter(isOnlyReserved);
  const alone = streams.filter(({ assurance, reserve }) => assurance !== 'none' && reserve !== undefined && reserve.firstTokenUs !== null);
  const replaced = streams.filter((stream) => mayBeReplaced(stream, config));
  const besides = [
    ...(open.length === 0 ? [] : [`nothing is promised of ${named(open)}, which would take a server (scheduler.servers)`]),
    ...(alone.length === 0 ? [] : [`of ${named(alone)} the first token of a turn that comes while no other is under way`]),
    ...(reserved.length === 0 ? [] : [`of ${named(reserved)} only the server's budget is sure`]),
    ...(replaced.length === 0
      ? []
      : [`a frame of ${named(replaced)} may be replaced by a newer one, since it may take longer than a period`]),
  ].map((text) => `; ${text}`);
  const cut = notComputed.length === 0 ? '' : ` (the bound on work was reached; not computed: ${notComputed.map(escapeText).join(', ')})`;
  const rest = `${besides.join('')}${cut}`;
  if (!policy.isCovered) return 'not proven: the analysis does not cover the policy';
  if (power?.fits === false) return 'not proven: the clock may be lowered to keep the chip within its power or its heat';
  if (assurance !== 'none' && outOfWindow.length > 0) return 'does not fit: a core cannot address all of a model that is placed on it';
  if (assurance !== 'none' && memory?.fits === false) return 'does not fit: memory has no room for all models';
  if (!fits) {
    const isDegraded = config.modes !== undefined || config.pipelines.some(({ variants }) => variants.length > 0);
    const until = isDegraded ? '; until all have one, streams get cheaper variants or are shed, and no bound above is sure' : '';
    return `does not fit: not every stream has a bound within its deadline${until}${cut}`;
  }
  return assurance === 'always'
    ? `fits: every safety and interactive stream is in time, whenever its frames come${rest}`
    : `fits: every safety and interactive stream is in time as long as look-ahead foresees the frames it holds a core for${rest}`;
}

/** Of what is promised. */
function mayBeReplaced({ id, assurance, responseUs, reserve }: StreamFit, { pipelines }: RuntimeConfig): boolean {
  const stream = pipelines.find((pipeline) => pipeline.id === id)?.stream;
  if (stream === undefined || reserve !== undefined || assurance === 'none' || assurance === 'unguarded') return false;
  return stream.freshness.kind === 'latest' && stream.periodUs > 0 && (responseUs ?? 0) > stream.periodUs;
}
