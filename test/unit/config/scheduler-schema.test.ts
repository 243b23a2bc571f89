import { describe, expect, it } from 'vitest';
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

  it.each([
    ['{ policy: efd }', /scheduler\.policy: got "efd"; allowed is one of coxswain, edf, .*; did you mean 'edf'\?/],
    ['{ policy: 7 }', /scheduler\.policy: got 7; allowed is one of/],
    ['{ polcy: edf }', /scheduler\.polcy: unknown key; allowed are policy, tuning, cuts, servers; did you mean 'policy'\?/],
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
