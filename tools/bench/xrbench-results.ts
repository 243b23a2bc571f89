/** Writes docs/results-xrbench.md: `npx tsx tools/bench/xrbench-results.ts [costs.csv]`; by default with the published costs of the 4K configurations. */
import { readFileSync, writeFileSync } from 'node:fs';
import { cellOf, scenarioOf } from '../../src/bench/xrbench/cell.ts';
import { type Choice, type ComparisonRow, comparePolicies, playCell, readConfigurations } from '../../src/bench/xrbench/compare.ts';
import { readCosts } from '../../src/bench/xrbench/cost-table.ts';
import { readScenarios } from '../../src/bench/xrbench/scenario.ts';
import { nearest } from '../../src/config/nearest.ts';

const [costsFile = 'test/golden/xrbench/costs-4k.csv'] = process.argv.slice(2);
const read = (file: string): string => readFileSync(file, 'utf8');
const table = readCosts(costsFile, read(costsFile));
const scenarios = readScenarios('configs/xrbench/scenarios.csv', read('configs/xrbench/scenarios.csv'));
const configurations = readConfigurations('configs/xrbench/configurations.csv', read('configs/xrbench/configurations.csv'));
const { cells, skipped, rows } = comparePolicies(table, configurations, scenarios, nearest);

const labelOf = ({ policy, release, victim }: Choice): string => {
  if (release === 'tick') return '`latency-greedy` as published (tick release)';
  if (policy === 'coxswain') return `\`coxswain\`, victims by ${victim}`;
  return `\`${policy}\``;
};
const find = (policy: Choice['policy'], victim: Choice['victim'], drop: string): ComparisonRow => {
  const row = rows.find(
    (candidate) => candidate.policy === policy && candidate.victim === victim && candidate.drop === drop && candidate.release === 'exact',
  );
  if (row === undefined) throw new Error(`no row for ${policy}`);
  return row;
};
const fair = find('latency-greedy', 'turns', 'expired');
const turns = find('coxswain', 'turns', 'infeasible');
const value = find('coxswain', 'value', 'infeasible');
const hiding = find('coxswain', 'value', 'none');

/** Models that never got a frame through, over all cells. */
function starvedBy(choice: Choice): number {
  return cells.reduce((sum, { configuration, scenario }) => {
    const cell = cellOf(table, configuration, scenarioOf(scenarios, scenario, nearest), nearest);
    const { score } = playCell(cell, choice, 1);
    return sum + score.models.filter((model) => model.executed === model.late).length;
  }, 0);
}

const policyTable = [...new Set(rows.map(labelOf))].map((label) => {
  const mean = (drop: string): string => rows.find((row) => labelOf(row) === label && row.drop === drop)?.mean.toFixed(2) ?? '';
  return `| ${label} | ${mean('none')} | ${mean('expired')} | ${mean('infeasible')} |`;
});
const cellTable = cells.map(({ configuration, scenario }, index) => {
  const scores = [fair, turns, value].map((row) => row.overall[index]?.toFixed(1));
  return `| ${configuration} | ${scenario} | ${scores.join(' | ')} |`;
});
const leftOut = skipped.map(({ configuration, scenario }) => `${configuration} ${scenario}`).join(', ') || 'none';

const page = `# Results: XRBench v0.1

Written by \`npx tsx tools/bench/xrbench-results.ts\` from \`${costsFile}\` (the published cost model, see \`test/golden/xrbench/README.md\`); \`coxswain bench xrbench --all --costs <csv>\`
prints the first table. The scheduler is the one of \`coxswain run\`; only time and costs are XRBench's. With \`--policy latency-greedy --release tick\` it gives the published schedule row by row
and all published scores within 0.001 points (\`test/unit/bench/xrbench-golden.test.ts\`).

## Mean score by policy and drop rule

Over the ${cells.length} cells (configuration x scenario without chance) that have costs; left out for want of costs: ${leftOut}. Exact release: a frame comes when it is due. Without preemption: a whole-model job
is one segment, and the scheduler does not interrupt segments.

| policy | drop none | drop expired | drop infeasible |
| --- | --- | --- | --- |
${policyTable.join('\n')}

The fair baseline is \`latency-greedy\` with expired frames dropped, ${fair.mean.toFixed(2)}. EDF with free preemption and the infeasible rule was measured elsewhere at 57.45 on the same cells. The rule by which frames are given up is
worth more than any order; every plain order gains 7 to 12 points by giving up what cannot be in time before it starts. \`coxswain\` as it runs in a vehicle (victims by turns) has ${turns.mean.toFixed(2)}, no more than
plain orders with the same rule: its class order and fairness mean nothing to this score. With \`victim: value\` it has ${value.mean.toFixed(2)}.

## By cell

| configuration | scenario | fair baseline | \`coxswain\`, turns | \`coxswain\`, value |
| --- | --- | --- | --- | --- |
${cellTable.join('\n')}

Where all policies score alike, the cell is decided by its costs: a model whose cheapest run is longer than its period scores 0 whatever is done.

## What the score rewards that a driver would not

- **Starving.** The share in time counts twice, once in the sum over frames and once as QoE, so a model served at a half gives a quarter. It pays to serve one model fully and another never: with victims by value
  ${starvedBy(value)} models of all cells get no frame through in time, by turns ${starvedBy(turns)}, with the fair baseline ${starvedBy(fair)}. A vehicle would rather have every other frame of both cameras.
- **Hiding.** A frame that is neither run nor dropped is in no log. A policy that keeps hopeless frames waiting for ever instead of dropping them scores ${hiding.mean.toFixed(2)} (\`--victim value --drop none\`), since the models that it never
  serves vanish from the mean. It serves nobody better. The figure is here as a warning, not as a result.
- **Running what is useless.** A dropped frame is punished twice and a late one once. A late result of no use to anybody, and the energy for it, is better than saying so early.
- **The last frames.** The window ends when the last frame is injected; what waits or runs then is not counted, so work that ends after it is free.
- **No classes, no jitter, no age.** Each model weighs the same; 0.3 ms late is as bad as a second late; and five losses in a row are as bad as five spread out.
- **Rates that are not.** Periods are whole milliseconds: 60 fps are run at 62.5.

So \`victim: value\` is an option of the plan and off by default. It also costs more: it plays the next 100 ms through in up to a hundred manners at each decision, which suits a few streams.
`;
writeFileSync('docs/results-xrbench.md', page);
