import { describe, expect, it } from 'vitest';
import { Accelerator, type Run } from '../../../src/bench/xrbench/accelerator.ts';

const run = (job: number, from = 0, extra: Partial<Run> = {}): Run => ({
  job,
  from,
  steps: 10 - from,
  stepCount: 10,
  latencyUs: 1_000,
  energyUj: 500,
  switchUs: 50,
  ...extra,
});

describe('an accelerator', () => {
  it('runs a job in one piece for exactly its latency and energy', () => {
    const it = new Accelerator();
    expect(it.endsUs).toBe(Number.POSITIVE_INFINITY);
    it.start(run(1, 0, { steps: 1, stepCount: 1, latencyUs: 2788.735 }), 100);
    expect(it.endsUs).toBe(100 + 2788.735);
    expect(it.end()).toEqual({ job: 1, ranUs: 100 + 2788.735 - 100, energyUj: 500, progress: { steps: 1, isLast: true } });
  });

  it('leaves off after the step that it is at', () => {
    const it = new Accelerator();
    it.start(run(1), 0);
    it.leave(230);
    expect(it.endsUs).toBe(300);
    expect(it.end()).toEqual({ job: 1, ranUs: 300, energyUj: 150, progress: { steps: 3, isLast: false } });
  });

  it('is at the next step at a border, and at the first when it has just begun', () => {
    const it = new Accelerator();
    it.start(run(1), 0);
    it.leave(300);
    expect(it.endsUs).toBe(400);
    it.end();
    it.start(run(2), 500);
    it.leave(500);
    expect(it.endsUs).toBe(600);
  });

  it('is not stopped within its last step, nor while idle', () => {
    const it = new Accelerator();
    it.leave(5);
    it.start(run(1), 0);
    it.leave(950);
    expect(it.end().progress).toEqual({ steps: 10, isLast: true });
  });

  it('pays in time and energy for going on after another job, and not after its own', () => {
    const it = new Accelerator();
    it.start(run(1), 0);
    it.leave(50);
    it.end();
    it.start(run(1, 1), 100);
    expect(it.endsUs).toBe(1_000);
    it.leave(150);
    it.end();
    it.start(run(2), 200);
    it.end();
    it.start(run(1, 2), 2_000);
    expect(it.endsUs).toBe(2_000 + 50 + 800);
    it.leave(2_010);
    expect(it.endsUs).toBe(2_150);
    expect(it.end().energyUj).toBeCloseTo(75, 9);
  });

  it('refuses to run two jobs, and to end none', () => {
    const it = new Accelerator();
    expect(() => it.end()).toThrow();
    it.start(run(1), 0);
    expect(() => it.start(run(2), 10)).toThrow('runs job 1');
  });
});
