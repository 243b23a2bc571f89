import { aimResults } from '../../src/bench/suite/aims.ts';
import { playSuite, type SuiteOptions, type SuiteResult } from '../../src/bench/suite/play-suite.ts';
import { createConfigFiles } from '../../src/config/config-files.ts';
import { loadBenchSuite } from '../../src/config/load-bench-suite.ts';
import { loadSoc } from '../../src/config/load-soc.ts';
import type { BenchSuite } from '../../src/core/bench-suite.ts';
import { type ResultSection, tableOf } from './result-section.ts';

const files = { files: createConfigFiles() };

/** Plays a shipped suite as `coxswain bench <name>` does. */
async function play(name: string, options: Partial<SuiteOptions> = {}): Promise<{ suite: BenchSuite; result: SuiteResult }> {
  const suite = loadBenchSuite(`configs/bench/${name}.yaml`, files);
  const profile = loadSoc(`configs/soc/${suite.soc}.yaml`, files);
  const [mode] = profile.modes;
  if (mode === undefined) throw new Error(`${suite.soc} has a mode`);
  const result = await playSuite({
    ...{ suite, workloads: suite.workloads, policies: ['fifo', 'round-robin', 'coxswain'], costs: 'stated', drop: undefined },
    ...{ deadlineTimes: undefined, isWhole: false, doAllPreempt: false, profile, mode, spanUs: suite.spanUs, seed: 1 },
    ...options,
  });
  return { suite, result };
}

const times = (value: number | null): string => (value === null ? '-' : value.toFixed(value < 10 ? 2 : 1));
const rate = (value: number): string => String(Math.round(value));
const ms = (value: number | null): string => (value === null ? '-' : value.toFixed(value < 10 ? 2 : 1));
const missedOf = ({ loads }: SuiteResult['rows'][number]): number =>
  loads.reduce((sum, load) => sum + (load.criticality === 'background' ? 0 : load.missed), 0);

function publishedTable({ published }: BenchSuite): string {
  const names = [...new Set(published.flatMap(({ figures }) => Object.keys(figures)))];
  return tableOf(
    ['system, as published', ...names, 'measured on'],
    published.map(({ system, figures, source }) => [system, ...names.map((name) => String(figures[name] ?? '-')), source]),
  );
}

/** Slowdown, worst P99 and best effort of every way to schedule, a line each, a column for each workload. */
function slowdowns(ways: readonly (readonly [string, SuiteResult, string])[], workloads: readonly string[]): string {
  const rows = ways.map(([label, result, policy]) => [
    label,
    ...workloads.map((workload) => {
      const row = result.rows.find((candidate) => candidate.workload === workload && candidate.policy === policy);
      return row === undefined ? '-' : `${times(row.slowdownMean)} / ${times(row.slowdownP99)} / ${rate(row.bestEffortPerSecond)}`;
    }),
  ]);
  return tableOf(['mean / worst P99 / best effort per s', ...workloads], rows);
}

async function renderDisb(): Promise<string> {
  const only = { policies: ['coxswain'] } as const;
  const suite = loadBenchSuite('configs/bench/disb.yaml', files);
  const ids = suite.workloads.map(({ id }) => id);
  const tables: string[] = [];
  const missed: string[] = [];
  for (const costs of ['stated', 'measured'] as const) {
    const { result: plain } = await play('disb', { costs });
    const { result: tight } = await play('disb', { ...only, costs, deadlineTimes: 1.05 });
    const { result: whole } = await play('disb', { ...only, costs, deadlineTimes: 1.05, isWhole: true });
    const list = plain.models.map(({ id, aloneMs }) => `${id} ${ms(aloneMs)} ms`).join(', ');
    const title = costs === 'stated' ? `Published sizes on ${plain.soc}, one core` : 'Times that DISB measured on its GPU, one core';
    tables.push(
      `### ${title}\n\nAlone: ${list}.\n\n${slowdowns(
        [
          ['`fifo`', plain, 'fifo'],
          ['`round-robin`', plain, 'round-robin'],
          ['`coxswain`', plain, 'coxswain'],
          ['`coxswain --deadline 1.05`', tight, 'coxswain'],
          ['`coxswain --deadline 1.05 --whole`', whole, 'coxswain'],
        ],
        ids,
      )}`,
    );
    const count = plain.rows.filter(({ policy }) => policy === 'coxswain').reduce((sum, row) => sum + missedOf(row), 0);
    missed.push(`with ${costs} costs and periods as deadlines \`coxswain\` misses ${count} real-time requests`);
  }
  return `Each cell: slowdown of the real-time part against alone (sum of means over sum of means), P99 of its worst load over that alone, best-effort results a second.
Simulated, ${suite.spanUs / 1e6} s each, seed 1; what is stated and assumed: [benchmarks.md](benchmarks.md#disb). Printed by \`coxswain bench disb\`, with \`--costs measured\`,
\`--deadline 1.05\` and \`--whole\`. In all workloads together, ${missed.join('; ')}.

${tables.join('\n\n')}

### As published, measured elsewhere

Slowdown of the mean. None of these ran here, and what they ran on runs several kernels at once.

${publishedTable(suite)}`;
}

async function renderVoiceVideo(): Promise<string> {
  const { suite, result } = await play('voice-video', { policies: ['fifo', 'round-robin', 'laxity', 'coxswain'] });
  const { result: whole } = await play('voice-video', { policies: ['coxswain'], isWhole: true });
  const { result: preempting } = await play('voice-video', { policies: ['laxity', 'edf'], doAllPreempt: true });
  const rows = [
    ...result.rows.map((row) => ({ ...row, label: `\`${row.policy}\`` })),
    ...preempting.rows.map((row) => ({ ...row, label: `\`${row.policy} --preempt\`` })),
    ...whole.rows.map((row) => ({ ...row, label: '`coxswain --whole`' })),
  ].sort((a, b) => orderOf(suite, a.workload) - orderOf(suite, b.workload));
  const table = tableOf(
    ['workload', 'policy', 'video mean ms', 'P99 ms', 'max ms', 'frames lost', 'speech mean ms', 'max ms', 'speech lost'],
    rows.flatMap(({ workload, label, loads }) => {
      const [video, speech] = loads;
      if (video === undefined || speech === undefined) return [];
      const [seen, heard] = [
        [ms(video.meanMs), ms(video.p99Ms), ms(video.maxMs), String(video.lost)],
        [ms(speech.meanMs), ms(speech.maxMs), String(speech.lost)],
      ];
      return [[workload, label, ...seen, ...heard]];
    }),
  );
  return `Simulated, ${suite.spanUs / 1e6} s each, seed 1, stated times: [benchmarks.md](benchmarks.md#voice-and-video). Aim: video P99 at most 95 ms and no speech job lost. Printed by
\`coxswain bench voice-video --policy fifo,round-robin,laxity,coxswain\`, with \`--preempt\` (\`edf\` and \`laxity\` interrupt speech at its borders too) and \`--whole\` (none does).

${table}

As published, measured elsewhere:

${publishedTable(suite)}`;
}

async function renderAutomotive(): Promise<string> {
  const { suite, result } = await play('automotive', { policies: ['fifo', 'fixed-priority', 'coxswain'] });
  const rows = result.rows.map((row) => ({ ...row, label: `\`${row.policy}\`` }));
  const frames = result.rows[0]?.loads[0]?.requested ?? 0;
  const vision = tableOf(
    ['workload', 'policy', '15 Hz missed', 'P99.9 ms', 'max ms', '12 Hz missed', 'P99.9 ms', 'max ms'],
    rows.map(({ workload, label, loads: [fast, slow] }) => [
      ...[workload, label],
      ...[String(fast?.missed), ms(fast?.p999Ms ?? null), ms(fast?.maxMs ?? null)],
      ...[String(slow?.missed), ms(slow?.p999Ms ?? null), ms(slow?.maxMs ?? null)],
    ]),
  );
  const talk = tableOf(
    ['workload', 'policy', 'first token P50 ms', 'P99 ms', 'a token ms', 'P99 ms', 'tokens/s', 'slowest turn', 'turns lost'],
    rows.map(({ workload, label, loads }) => {
      const turns = loads.find(({ tokensPerSecond }) => tokensPerSecond !== null);
      const { firstTokenP50Ms = null, firstTokenP99Ms = null, tokenMeanMs = null, tokenP99Ms = null } = turns ?? {};
      const rates = [turns?.tokensPerSecond ?? null, turns?.slowestTokensPerSecond ?? null].map(ms);
      return [workload, label, ...[firstTokenP50Ms, firstTokenP99Ms, tokenMeanMs, tokenP99Ms].map(ms), ...rates, String(turns?.lost)];
    }),
  );
  const aims = aimResults(suite.aims, result.rows);
  const missed = aims.filter(({ isMet }) => !isMet).map(({ workload, load, figure, got }) => `${workload} ${load} ${figure} (${got})`);
  return `Simulated on ${result.soc}, ${suite.spanUs / 1e6} s and ${frames} frames at 15 Hz each, seed 1; what is stated and assumed: [benchmarks.md](benchmarks.md#vision-beside-an-assistant). Printed by
\`coxswain bench automotive --policy fifo,fixed-priority,coxswain\`. Of its ${aims.length} aims \`coxswain\` reaches ${aims.length - missed.length}${missed.length === 0 ? '' : `; not ${missed.join(', ')}`}.

Vision, whose deadlines are 66.7 and 83.3 ms (missed: late or lost):

${vision}

The assistant; wanted are a first token within 500 ms and 30 ms a token where core and bus allow, else what is reserved: 40 ms of every 250 (8.7 tokens a second) in \`one-core\` and \`crowded\`, 23 GB/s
(5.1 tokens) in \`short-bus\`:

${talk}

\`fifo\` serves everything in turn and \`fixed-priority\` by class, neither with interruptions or reserves: what the assistant has more there, vision lacks. In \`short-bus-free\` nobody holds the
assistant's core to a budget, and no policy weighs the bus between cores: frames are missed.`;
}

const orderOf = ({ workloads }: BenchSuite, id: string): number => workloads.findIndex((workload) => workload.id === id);

export const automotiveResults: ResultSection = { title: 'Vision beside an assistant', render: renderAutomotive };
export const disbResults: ResultSection = { title: 'DISB: real-time beside best effort', render: renderDisb };
export const voiceVideoResults: ResultSection = { title: 'Voice and video on one core', render: renderVoiceVideo };
