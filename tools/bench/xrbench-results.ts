import { readFileSync } from 'node:fs';
import { type Cell, cellOf, scenarioOf } from '../../src/bench/xrbench/cell.ts';
import {
  type Choice,
  type Comparison,
  type ComparisonRow,
  comparePolicies,
  hasCosts,
  labelOf,
  playCell,
  playCells,
  readConfigurations,
} from '../../src/bench/xrbench/compare.ts';
import { readCosts } from '../../src/bench/xrbench/cost-table.ts';
import { isDeterministic, readScenarios } from '../../src/bench/xrbench/scenario.ts';
import { nearest } from '../../src/config/nearest.ts';
import { type ResultSection, tableOf } from './result-section.ts';

export const xrbenchResults: ResultSection = { title: 'XRBench v0.1', render };

/** The published cost model of the 4K configurations. */
const COSTS = 'test/golden/xrbench/costs-4k.csv';
const FREE = { switchUs: 0, switchRatio: 0 };
/** What `bench xrbench --policy coxswain` plays. */
const DEFAULT: Choice = { policy: 'coxswain', release: 'exact', drop: 'expired', victim: 'value', preemption: FREE };

const PRICES: readonly { readonly name: string; readonly preemption: Choice['preemption'] }[] = [
  { name: 'none can be interrupted', preemption: undefined },
  { name: 'free', preemption: FREE },
  ...[0.5, 1, 2, 5, 10].map((percent) => ({ name: `${percent} % of the run`, preemption: { switchUs: 0, switchRatio: percent / 100 } })),
  ...[100, 500, 1_000].map((us) => ({ name: `${us} us`, preemption: { switchUs: us, switchRatio: 0 } })),
];

function render(): string {
  const read = (file: string): string => readFileSync(file, 'utf8');
  const table = readCosts(COSTS, read(COSTS));
  const scenarios = readScenarios('configs/xrbench/scenarios.csv', read('configs/xrbench/scenarios.csv'));
  const configurations = readConfigurations('configs/xrbench/configurations.csv', read('configs/xrbench/configurations.csv'));
  const comparison = comparePolicies(table, configurations, scenarios, nearest);
  const cells = comparison.cells.map(({ configuration, scenario }) =>
    cellOf(table, configuration, scenarioOf(scenarios, scenario, nearest), nearest),
  );
  const chancy = configurations.flatMap((configuration) =>
    scenarios
      .filter((scenario) => !isDeterministic(scenario) && hasCosts(table, configuration, scenario))
      .map((scenario) => cellOf(table, configuration, scenario, nearest)),
  );
  const parts = [
    intro(comparison),
    policies(comparison),
    prices(cells),
    byChance(chancy),
    byCell(comparison),
    cost(cells),
    rewards(comparison, cells),
  ];
  return parts.join('\n\n');
}

function intro({ cells, skipped }: Comparison): string {
  const leftOut = skipped.map(({ configuration, scenario }) => `${configuration} ${scenario}`).join(', ') || 'none';
  return `The scheduler is the one of \`coxswain run\`; only time and costs are XRBench's (\`${COSTS}\`, the published cost model, see the README beside it).
With \`--policy latency-greedy --release tick\` it gives the published schedule row by row and all published scores within 0.001 points
(\`test/unit/bench/xrbench-golden.test.ts\`). \`coxswain bench xrbench --all --costs <csv>\` prints the first table.

Means are over the ${cells.length} cells (configuration x scenario without chance) that have costs; left out for want of costs: ${leftOut}. Exact release: a frame comes when it
is due.`;
}

function policies({ rows }: Comparison): string {
  const labels = [...new Set(rows.map(labelOf))];
  const mean = (label: string, drop: string): string =>
    rows.find((row) => labelOf(row) === label && row.drop === drop)?.mean.toFixed(2) ?? '';
  const fair = find(rows, { policy: 'latency-greedy', drop: 'expired' });
  const turns = find(rows, { policy: 'coxswain', victim: 'turns', drop: 'infeasible' });
  const plain = find(rows, { policy: 'coxswain', victim: 'value', drop: 'infeasible' });
  const best = find(rows, DEFAULT);
  return `### Mean score by policy and drop rule

*Interrupting*: a run can leave off at every hundredth of it, at no cost. Elsewhere a run goes to its end.

${tableOf(
  ['policy', 'drop none', 'drop expired', 'drop infeasible'],
  labels.map((label) => [label, mean(label, 'none'), mean(label, 'expired'), mean(label, 'infeasible')]),
)}

The fair baseline is \`latency-greedy\` with expired frames dropped, ${fair.mean.toFixed(2)}. EDF with successor-aware deadlines, free preemption and the infeasible rule was measured
elsewhere at 57.45 on the same cells. The rule by which frames are given up is worth more than any order: every plain order gains 7 to 12 points by giving up
what cannot be in time before it starts. \`coxswain\` as it runs in a vehicle (victims by turns) has ${turns.mean.toFixed(2)}: its classes and its fairness mean nothing to this score.

\`bench xrbench --policy coxswain\` plays for the score: victims by value, late results delivered where that costs nobody anything, interrupting, ${best.mean.toFixed(2)}. Of that,
choosing victims by value without either is ${plain.mean.toFixed(2)}. With every frame that was due and not logged counted as dropped (see below), it has ${best.openMean.toFixed(2)}.`;
}

function prices(cells: readonly Cell[]): string {
  const rows = PRICES.map(({ name, preemption }) => {
    const best = playCells(cells, { ...DEFAULT, preemption });
    const others = [
      { ...DEFAULT, drop: 'infeasible', preemption },
      { ...DEFAULT, victim: 'turns', drop: 'infeasible', preemption },
      { ...DEFAULT, policy: 'edf', drop: 'infeasible', preemption },
    ] as const;
    return [name, best.mean.toFixed(2), best.openMean.toFixed(2), ...others.map((choice) => playCells(cells, choice).mean.toFixed(2))];
  });
  return `### What an interruption may cost

The price is paid in time and energy when the run goes on, as if so much of it was run again; the part is of the run on the slowest of the accelerators.
\`--preemption 2%\` and the like.

${tableOf(['price', '`coxswain`', 'the same, all due frames counted', 'by value, infeasible dropped', 'by turns', '`edf`'], rows)}`;
}

function byChance(cells: readonly Cell[]): string {
  const seeds = [1, 2, 3, 4, 5];
  const rows = (
    [
      ['`latency-greedy`, expired dropped (the fair baseline)', { ...DEFAULT, policy: 'latency-greedy', preemption: undefined }],
      ['`edf`, infeasible dropped', { ...DEFAULT, policy: 'edf', drop: 'infeasible', preemption: undefined }],
      ['`coxswain` by turns, infeasible dropped', { ...DEFAULT, victim: 'turns', drop: 'infeasible', preemption: undefined }],
      ['`coxswain` by value, infeasible dropped', { ...DEFAULT, drop: 'infeasible', preemption: undefined }],
      ['`coxswain` by value, late delivered, interrupting', DEFAULT],
    ] as const
  ).map(([name, choice]) => {
    const { mean, openMean } = playCells(cells, choice, seeds);
    return [name, mean.toFixed(2), openMean.toFixed(2)];
  });
  return `### Where frames come by chance

The three scenarios with a dependency by chance, on the ${cells.length} cells that have costs, ${seeds.length} seeds each. Nothing was tuned on these.

${tableOf(['policy', 'mean', 'the same, all due frames counted'], rows)}`;
}

function byCell({ cells, rows }: Comparison): string {
  const shown = [
    find(rows, { policy: 'latency-greedy', drop: 'expired' }),
    find(rows, { policy: 'coxswain', victim: 'turns', drop: 'infeasible' }),
    find(rows, { policy: 'coxswain', victim: 'value', drop: 'infeasible' }),
    find(rows, DEFAULT),
  ];
  return `### By cell

${tableOf(
  [
    'configuration',
    'scenario',
    'fair baseline',
    'by turns',
    'by value, infeasible dropped',
    '`coxswain` (by value, late delivered, interrupting)',
  ],
  cells.map(({ configuration, scenario }, index) => [
    configuration,
    scenario,
    ...shown.map(({ overall }) => overall[index]?.toFixed(1) ?? ''),
  ]),
)}

Where all policies score alike, the cell is decided by its costs: a model whose cheapest run is longer than its period scores 0 whatever is done.`;
}

const PLAYS = 5;

/** Every play makes the same decisions; of each the shortest time is taken, since on a busy machine the others say how busy it was. */
function cost(cells: readonly Cell[]): string {
  const rows = (
    [
      ['by turns', { ...DEFAULT, victim: 'turns', drop: 'infeasible' }],
      ['by value, uninterrupted, infeasible dropped', { ...DEFAULT, drop: 'infeasible', preemption: undefined }],
      ['by value, late delivered, interrupting', DEFAULT],
    ] as const
  ).map(([name, choice]) => {
    const leastUs: number[] = [];
    for (let play = 0; play < PLAYS; play += 1) {
      let count = 0;
      const watch = <T>(decide: () => T): T => {
        const from = performance.now();
        const decisions = decide();
        leastUs[count] = Math.min(leastUs[count] ?? Number.POSITIVE_INFINITY, (performance.now() - from) * 1_000);
        count += 1;
        return decisions;
      };
      for (const cell of cells) playCell(cell, choice, { seed: 1, watch });
    }
    leastUs.sort((a, b) => a - b);
    const at = (quantile: number): string => (leastUs[Math.min(leastUs.length - 1, Math.floor(leastUs.length * quantile))] ?? 0).toFixed(0);
    return [name, String(leastUs.length), at(0.5), at(0.99), at(1)];
  });
  return `### What a decision costs

On one core of the machine that wrote this page, in microseconds, each decision at its shortest of ${PLAYS} equal plays; three to four streams on one to four
accelerators.

${tableOf(['victims', 'decisions', 'p50', 'p99', 'longest'], rows)}

Victims by value plan the next 70 ms anew at each event, as timetables of some twenty frames, in one to 24 orders of the streams, and where accelerators differ
for speed and for energy. The work of one decision is bounded.
The aims of 50 us and 200 us are for the default, \`tools/bench/decision.ts\`.`;
}

/** Models that never got a frame through in time, over all cells. */
function starvedBy(cells: readonly Cell[], choice: Choice): number {
  return cells.reduce((sum, cell) => {
    const { score } = playCell(cell, choice, { seed: 1 });
    return sum + score.models.filter((model) => model.executed === model.late).length;
  }, 0);
}

function rewards({ rows }: Comparison, cells: readonly Cell[]): string {
  const fair = find(rows, { policy: 'latency-greedy', drop: 'expired' });
  const turns = find(rows, { policy: 'coxswain', victim: 'turns', drop: 'infeasible' });
  const strict = find(rows, { ...DEFAULT, drop: 'infeasible' });
  const best = find(rows, DEFAULT);
  const hiding = find(rows, { policy: 'coxswain', victim: 'value', drop: 'none' });
  return `### What the score rewards that a driver would not

- **Starving.** The share in time counts twice, once in the sum over frames and once as QoE, so a model served at a half gives a quarter. It pays to serve one
  model fully and another never: with victims by value ${starvedBy(cells, best)} models of all cells get no frame through in time, by turns ${starvedBy(cells, turns)}, with the fair baseline ${starvedBy(cells, fair)}.
  A vehicle would rather have every other frame of both cameras.
- **Running what is useless.** A dropped frame is punished twice and a late one once, however late. Late results that nobody wants, fitted in where they hurt
  nobody, are worth ${(best.mean - strict.mean).toFixed(2)} points (${strict.mean.toFixed(2)} without). A driver would have the energy.
- **Hiding.** A frame that is neither run nor dropped is in no log. A policy that keeps hopeless frames waiting instead of dropping them scores ${hiding.mean.toFixed(2)}
  (\`--victim value --drop none --preemption none\`), since the models that it never serves vanish from the mean; with all due frames counted it has ${hiding.openMean.toFixed(2)}. It serves
  nobody better. What \`coxswain\` has under way when the window closes is worth ${(best.mean - best.openMean).toFixed(2)} points by the same rule.
- **The last frames.** The window ends when the last frame is injected; what waits or runs then is not counted, so work that ends after it is free.
- **No classes, no jitter, no age.** Each model weighs the same; 0.3 ms late is as bad as a second late; and five losses in a row are as bad as five spread out.
- **Rates that are not.** Periods are whole milliseconds: 60 fps are run at 62.5.

So \`victim: value\` is an option of the plan and off by default. It also costs more at each decision, which suits a few streams.`;
}

function find(rows: readonly ComparisonRow[], choice: Partial<Choice>): ComparisonRow {
  const { policy, victim = 'turns', drop, preemption } = choice;
  const row = rows.find(
    (candidate) =>
      candidate.release === 'exact' &&
      candidate.policy === policy &&
      candidate.victim === victim &&
      candidate.drop === drop &&
      (candidate.preemption === undefined) === (preemption === undefined),
  );
  if (row === undefined) throw new Error(`no row for ${policy}`);
  return row;
}
