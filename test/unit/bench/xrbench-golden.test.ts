import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cellOf, scenarioOf } from '../../../src/bench/xrbench/cell.ts';
import { type Choice, comparePolicies, labelOf, playCell, playCells, readConfigurations } from '../../../src/bench/xrbench/compare.ts';
import { readCosts } from '../../../src/bench/xrbench/cost-table.ts';
import { readScenarios } from '../../../src/bench/xrbench/scenario.ts';
import { scheduleCsv } from '../../../src/bench/xrbench/schedule-csv.ts';
import { DROP_RULES } from '../../../src/scheduler/scheduler.ts';

const golden = (name: string): string => readFileSync(`test/golden/xrbench/${name}`, 'utf8');
const config = (name: string): string => readFileSync(`configs/xrbench/${name}`, 'utf8');
const rowsOf = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .slice(1)
    .map((line) => line.split(','));

const table = readCosts('costs-4k.csv', golden('costs-4k.csv'));
const scenarios = readScenarios('scenarios.csv', config('scenarios.csv'));
const configurations = readConfigurations('configurations.csv', config('configurations.csv'));
const nowhere = () => undefined;
const cell = (configuration: string, scenario: string) => cellOf(table, configuration, scenarioOf(scenarios, scenario, nowhere), nowhere);
const PUBLISHED: Choice = { policy: 'latency-greedy', release: 'tick', drop: undefined, victim: 'turns', preemption: undefined };
const FREE = { switchUs: 0, switchRatio: 0 };
const DEFAULT: Choice = { policy: 'coxswain', release: 'exact', drop: undefined, victim: 'value', preemption: FREE };
const SEED = { seed: 1 };

describe('the reference policy of XRBench with tick release', () => {
  it('gives the published schedule, row by row, within 2 us', () => {
    const ours = rowsOf(scheduleCsv(playCell(cell('Single_4K__WS', 'VR_gaming'), PUBLISHED, SEED).log));
    const published = rowsOf(golden('schedule_VR_gaming__Single_4K__WS.csv'));
    expect(ours.map((row) => row.slice(0, 3))).toEqual(published.map((row) => row.slice(0, 3)));
    published.forEach((row, index) => {
      for (const column of [3, 4, 5, 6, 7]) expect(Math.abs(Number(ours[index]?.[column]) - Number(row[column]))).toBeLessThan(0.002);
      expect(Number(ours[index]?.[8])).toBeCloseTo(Number(row[8]), 4);
    });
  });

  it('gives the published summary of that schedule', () => {
    const { score } = playCell(cell('Single_4K__WS', 'VR_gaming'), PUBLISHED, SEED);
    for (const [model = '', realTime, energy, qoe] of rowsOf(golden('summary_VR_gaming__Single_4K__WS.csv'))) {
      if (model.startsWith('Overall')) continue;
      const ours = score.models.find((row) => row.model === model);
      expect([ours?.realTime.toFixed(4), ours?.energy.toFixed(4), ours?.qoe]).toEqual([
        Number(realTime).toFixed(4),
        Number(energy).toFixed(4),
        Number(qoe),
      ]);
    }
  });

  it.each(
    rowsOf(golden('reference-4k.csv')).map(([configuration = '', scenario = '', overall = '']) => ({ configuration, scenario, overall })),
  )('scores $overall on $configuration $scenario', ({ configuration, scenario, overall }) => {
    const { score } = playCell(cell(configuration, scenario), PUBLISHED, SEED);
    expect(Math.abs(score.overall - Number(overall))).toBeLessThan(0.01);
  });
});

const comparison = comparePolicies(table, configurations, scenarios, nowhere);

describe('all policies on the 30 cells', () => {
  const find = (policy: Choice['policy'], drop: string, victim = 'turns', isInterrupting = false, release = 'exact') =>
    comparison.rows.find(
      (row) =>
        row.policy === policy &&
        row.drop === drop &&
        row.victim === victim &&
        row.release === release &&
        (row.preemption !== undefined) === isInterrupting,
    );
  const mean = (...args: Parameters<typeof find>): number => find(...args)?.mean ?? Number.NaN;

  it('are the cells of the reference scores', () => {
    expect(comparison.cells.map(({ configuration, scenario }) => `${configuration},${scenario}`).sort()).toEqual(
      rowsOf(golden('reference-4k.csv'))
        .map((row) => row.slice(0, 2).join())
        .sort(),
    );
    expect(comparison.skipped).toHaveLength(2);
  });

  it('have the published mean with tick release and the fair baseline with exact release', () => {
    expect(mean('latency-greedy', 'expired', 'turns', false, 'tick')).toBeCloseTo(45.87, 2);
    expect(mean('latency-greedy', 'expired')).toBeCloseTo(47.31, 2);
  });

  it('gain more by giving up what is infeasible than by any order', () => {
    for (const policy of ['edf', 'fifo', 'fixed-priority', 'laxity', 'latency-greedy', 'round-robin'] as const) {
      expect(mean(policy, 'infeasible')).toBeGreaterThan(Math.max(mean(policy, 'expired'), mean(policy, 'none')) + 5);
    }
  });

  it('are beaten by coxswain with victims by value, without interrupting and giving up what is infeasible as they do', () => {
    expect(mean('coxswain', 'infeasible', 'value')).toBeGreaterThan(59.4);
    for (const row of comparison.rows) {
      if (row.victim === 'turns') expect(row.mean).toBeLessThan(mean('coxswain', 'infeasible', 'value'));
    }
  });

  it('are beaten further by what `--policy coxswain` plays, which passes 60, also when every due frame counts', () => {
    const row = find('coxswain', 'expired', 'value', true);
    expect(row?.mean).toBeGreaterThan(60.3);
    expect(row?.openMean).toBeGreaterThan(60.1);
    const same = playCells([cell('Single_4K__WS', 'AR_gaming')], DEFAULT);
    const place = comparison.cells.findIndex(
      ({ configuration, scenario }) => configuration === 'Single_4K__WS' && scenario === 'AR_gaming',
    );
    expect(same.overall[0]).toBe(row?.overall[place]);
  });
});

describe('a priced interruption', () => {
  const some = [cell('Single_4K__RS', 'social_interaction_A'), cell('Dual_4K__WS_OS', 'VR_gaming')];
  const ofPrice = (preemption: Choice['preemption']): number => playCells(some.slice(0, 1), { ...DEFAULT, preemption }).mean;

  it('costs some of the score, and at two per cent less than interrupting gains', () => {
    const [none, free, priced, dear] = [undefined, FREE, { ...FREE, switchRatio: 0.02 }, { ...FREE, switchUs: 3_000 }].map(ofPrice);
    expect(priced).toBeLessThan(free as number);
    expect(dear).toBeLessThan(priced as number);
    expect(priced).toBeGreaterThan(none as number);
  });

  it('never gives an accelerator more work than its time', () => {
    for (const played of some) {
      const { log } = playCell(played, { ...DEFAULT, preemption: { switchUs: 200, switchRatio: 0.05 } }, SEED);
      const ran = log.filter(({ core }) => core !== undefined);
      for (const frame of ran) {
        const costs = played.costs.get(frame.model) ?? [];
        const leastMs = Math.min(...costs.map(({ latencyUs }) => latencyUs)) / 1_000;
        expect(frame.completedMs - frame.dispatchedMs).toBeGreaterThanOrEqual(leastMs - 1e-9);
        const leastMj = Math.min(...costs.map(({ energyUj }) => energyUj)) / 1_000;
        expect(frame.energyMj).toBeGreaterThanOrEqual(leastMj - 1e-9);
      }
      const lastMs = Math.max(...ran.map(({ completedMs }) => completedMs));
      const workMs = ran.reduce((sum, { model }) => {
        const costs = played.costs.get(model) ?? [];
        return sum + Math.min(...costs.map(({ latencyUs }) => latencyUs)) / 1_000;
      }, 0);
      expect(workMs).toBeLessThanOrEqual(lastMs * (played.costs.values().next().value?.length ?? 0));
    }
  });
});

describe('docs/results.md', () => {
  it('says what the scheduler does now; `npx tsx tools/bench/results.ts xrbench` writes it anew', () => {
    const page = readFileSync('docs/results.md', 'utf8');
    for (const label of new Set(comparison.rows.map(labelOf))) {
      const means = DROP_RULES.map(
        (rule) => comparison.rows.find((row) => labelOf(row) === label && row.drop === rule)?.mean.toFixed(2) ?? '',
      );
      expect(page).toContain(`| ${[label, ...means].join(' | ')} |`);
    }
    comparison.cells.forEach(({ configuration, scenario }, index) => {
      const value = comparison.rows.find((row) => row.victim === 'value' && row.drop === 'expired' && row.preemption !== undefined)
        ?.overall[index];
      expect(page).toMatch(new RegExp(`\\| ${configuration} \\| ${scenario} \\|.*\\| ${value?.toFixed(1)} \\|`));
    });
  });
});

describe('a scenario with chance', () => {
  it('is the same for one seed and another for another', () => {
    const play = (seed: number) =>
      JSON.stringify(playCell(cell('Single_4K__WS', 'AR_assistant'), { ...PUBLISHED, release: 'exact' }, { seed }).log);
    expect(play(1)).toBe(play(1));
    expect(new Set([1, 2, 3, 4, 5, 6].map(play)).size).toBeGreaterThan(1);
  });
});
