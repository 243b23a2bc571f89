import { getPriority, setPriority } from 'node:os';
import { expect, it } from 'vitest';
import { probeNative } from '../../../src/native/probe.ts';
import { createProcessControl } from '../../../src/native/process-control.ts';

it('keeps the process on the CPU named, and lets it go again', () => {
  const control = createProcessControl();
  const before = control.allowedCpus();
  const last = before.at(-1) ?? 0;
  expect(control.setAffinity([last])).toEqual({ isGranted: true });
  expect(control.allowedCpus()).toEqual([last]);
  expect(control.setAffinity(before)).toEqual({ isGranted: true });
  expect(control.allowedCpus()).toEqual(before);
});

it('says that a CPU does not exist instead of throwing', () => {
  const answer = createProcessControl().setAffinity([1023]);
  expect(answer).toMatchObject({ isGranted: false, detail: expect.stringContaining('EINVAL'), remedy: expect.stringContaining('CPUs') });
});

it('treats a CPU number that no mask holds as a bug of the caller', () => {
  expect(() => createProcessControl().setAffinity([1024])).toThrow(/1023/);
  expect(() => createProcessControl().setAffinity([-1])).toThrow(/1023/);
});

it('raises niceness without any permission', () => {
  const before = getPriority();
  expect(createProcessControl().setNiceness(before + 1)).toEqual({ isGranted: true });
  expect(getPriority()).toBe(before + 1);
  setPriority(before);
});

it('probes every capability by name, with a remedy exactly where it is missing', () => {
  const capabilities = probeNative();
  expect(capabilities.map(({ name }) => name)).toEqual([
    'shared-memory',
    'futex',
    'affinity',
    'niceness',
    'realtime',
    'memory-lock',
    'parent-death-signal',
  ]);
  for (const { isAvailable, detail, remedy } of capabilities) {
    expect(detail).not.toBe('');
    expect(remedy === '').toBe(isAvailable);
  }
});

it('leaves the process as it was after probing', () => {
  const control = createProcessControl();
  const before = [getPriority(), control.allowedCpus(), control.parentDeathSignal()];
  probeNative();
  expect([getPriority(), control.allowedCpus(), control.parentDeathSignal()]).toEqual(before);
});
