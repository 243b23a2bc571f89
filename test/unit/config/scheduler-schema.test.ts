import { describe, expect, it } from 'vitest';
import { printConfig } from '../../../src/config/print-config.ts';
import { DROP_RULES, POLICIES, VICTIM_RULES } from '../../../src/config/scheduler-schema.ts';
import type { PolicyTuning } from '../../../src/scheduler/scheduler.ts';
import * as scheduler from '../../../src/scheduler/scheduler.ts';
import { CONFIG, load, refusals } from '../../support/config-files.ts';

const withScheduler = (text: string): string => `${CONFIG}scheduler: ${text}\n`;

describe('the section scheduler', () => {
  it('knows every policy and rule of the scheduler, and no other', () => {
    expect([...POLICIES]).toEqual([...scheduler.POLICY_NAMES]);
    expect([...DROP_RULES]).toEqual([...scheduler.DROP_RULES]);
    const victims: Readonly<Record<NonNullable<PolicyTuning['victim']>, true>> = { turns: true, value: true };
    expect([...VICTIM_RULES]).toEqual(Object.keys(victims));
  });

  it('is coxswain with the defaults of the policy when left out', () => {
    expect(load().scheduler).toEqual({ policy: 'coxswain', tuning: {}, cuts: 'auto' });
    expect(load({ config: withScheduler('{ policy: edf }') }).scheduler).toEqual({ policy: 'edf', tuning: {}, cuts: 'auto' });
    expect(load({ config: withScheduler('{ tuning: { drop: none, victim: value } }') }).scheduler).toEqual({
      policy: 'coxswain',
      tuning: { drop: 'none', victim: 'value' },
      cuts: 'auto',
    });
  });

  it('holds pipelines of any criticality to bytes a period, whole ones, and prints them as they were', () => {
    const text = '{ busBudget: { periodMs: 0.5, pipelinesMb: { boxes: 4.1 } } }';
    const config = load({ config: withScheduler(text) });
    expect(config.scheduler.busBudget).toEqual({ periodUs: 500, streams: [{ stream: 'boxes', bytes: 4_100_000 }] });
    expect(printConfig(config)).toMatch(/busBudget:\s+periodMs: 0\.5\s+pipelinesMb:\s+boxes: 4\.1/);
    expect(load({ config: withScheduler('{ busBudget: { pipelinesMb: { boxes: 1e6 } } }') }).scheduler.busBudget?.periodUs).toBe(1_000);
  });

  it.each([
    ['{ boxes: 0 }', /pipelinesMb\.boxes: got 0; allowed is a number from 0\.001 to 1000000 MB/],
    ['{ boxes: -4 }', /pipelinesMb\.boxes: got -4; allowed is a number/],
    ['{ boxes: .nan }', /pipelinesMb\.boxes: .*allowed is a number/],
    ['{ boxes: .inf }', /pipelinesMb\.boxes: .*allowed is a number/],
    ['{ boxes: 1000001 }', /pipelinesMb\.boxes: got 1000001; allowed is a number/],
    ['{ boxes: many }', /pipelinesMb\.boxes: got "many"; allowed is a number/],
    ['{ boxse: 4 }', /pipelinesMb\.boxse: got "boxse", which is no pipeline; given are /],
    ['{ constructor: 4 }', /any other name/],
    ['{}', /pipelinesMb: got no pipeline; name one, or leave busBudget out/],
    ['[boxes]', /pipelinesMb: .*allowed is a mapping/],
    ['{ boxes: 4 }, periodMs: 0', /busBudget\.periodMs: got 0; allowed is a number from 0\.1 to 1000 ms/],
    ['{ boxes: 4 }, periodMs: 1001', /busBudget\.periodMs: got 1001; allowed is a number/],
    ['{ boxes: 4 }, period: 1', /busBudget\.period: unknown key/],
  ])('refuses budgets %s', (text, expected) => {
    expect(refusals({ config: withScheduler(`{ busBudget: { pipelinesMb: ${text} } }`) }).join('\n')).toMatch(expected);
  });

  it.each([
    ['{ policy: efd }', /scheduler\.policy: got "efd"; allowed is one of coxswain, edf, .*; did you mean 'edf'\?/],
    ['{ policy: 7 }', /scheduler\.policy: got 7; allowed is one of/],
    ['{ polcy: edf }', /scheduler\.polcy: unknown key; allowed are policy, tuning, cuts, servers, busBudget; did you mean 'policy'\?/],
    ['{ tuning: { drop: late } }', /scheduler\.tuning\.drop: got "late"; allowed is one of none, expired, infeasible/],
    ['{ tuning: { quirks: true } }', /scheduler\.tuning\.quirks: unknown key; allowed are drop, victim, bus, resume/],
    ['edf', /scheduler: got "edf"; allowed is a mapping/],
    [
      '{ policy: edf, tuning: { victim: turns } }',
      /scheduler\.tuning\.victim: only policy coxswain chooses victims, and the policy is edf/,
    ],
  ])('refuses %s', (text, expected) => {
    expect(refusals({ config: withScheduler(text) }).join('\n')).toMatch(expected);
  });
});
