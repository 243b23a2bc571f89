import { describe, expect, it } from 'vitest';
import { after } from '../../../src/core/clock.ts';
import { CoxswainError } from '../../../src/core/errors.ts';
import type { ModelSpec } from '../../../src/core/model.ts';
import type { SegmentEnd } from '../../../src/core/segment.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import { Supervisor } from '../../../src/runtime/supervisor.ts';
import { modelOf } from '../../support/pipeline-rig.ts';
import { createScriptedDevice, type ScriptedDevice, type ScriptedDeviceOptions } from '../../support/scripted-device.ts';

const MODELS = [modelOf({ id: 'a' }), modelOf({ id: 'b' })];
const done: SegmentEnd = { kind: 'done', startedAt: instantUs(0), endedAt: instantUs(1) };

/** One core that takes 200 ms to start and 50 ms a model, as the scripted device does by default. */
function createRig(script: Partial<ScriptedDeviceOptions> = {}, activate: (model: ModelSpec) => SegmentEnd = () => done) {
  const clock = new SimClock();
  const told: string[] = [];
  const tell = (text: string): number => told.push(`${clock.now() / 1000} ${text}`);
  const activated: string[] = [];
  const device: ScriptedDevice = createScriptedDevice(
    { cores: [0], script: () => ({ kind: 'hang' }), ...script },
    { clock, listener: { coreLost: (loss) => supervisor.coreLost(loss) } },
  );
  const supervisor: Supervisor = new Supervisor(
    {
      cores: [{ core: 0, models: MODELS }],
      policy: { lossesMax: 2, withinUs: durationFromMs(5_000), backoffUs: durationFromMs(100), probeAfterUs: durationFromMs(3_000) },
    },
    {
      clock,
      device,
      activate(core, model, onEnd) {
        activated.push(model.id);
        const end = activate(model);
        if (end.kind === 'failed' && end.reason === 'core-crashed') device.crash(core);
        else after(clock, durationFromMs(10), () => onEnd(end));
      },
      listener: {
        coreStarting: () => tell('starting'),
        coreBack: (_core, models) => tell(`back ${models.join('+')}`),
        coreLost: (_core, reason) => tell(reason),
        quarantined: () => tell('quarantined'),
        modelRefused: (_core, model, error) => tell(`refused ${model} ${error.code}`),
      },
    },
  );
  const run = (ms: number): void => clock.runUntil(instantUs(ms * 1000));
  return { clock, device, supervisor, told, activated, run };
}

describe('Supervisor', () => {
  it('starts a core, loads its models in order and runs each once before it says that the core is back', () => {
    const { supervisor, told, activated, run } = createRig();
    void supervisor.start();
    run(1_000);
    expect(told).toEqual(['0 starting', '320 back a+b']);
    expect(activated).toEqual(['a', 'b']);
  });

  it('starts a lost core again at once, without running its models first', () => {
    const { device, supervisor, told, activated, run } = createRig();
    void supervisor.start();
    run(1_000);
    device.crash(0);
    run(2_000);
    expect(told.slice(2)).toEqual(['1000 core-crashed', '1000 starting', '1300 back a+b']);
    expect(activated).toHaveLength(2);
    expect(supervisor.restarts(0)).toBe(1);
  });

  it('waits before the second restart within the window, and quarantines at one loss too many', () => {
    const { device, supervisor, told, run } = createRig();
    void supervisor.start();
    for (const at of [1_000, 2_000, 3_000]) {
      run(at);
      device.crash(0);
    }
    run(3_500);
    expect(told.slice(2)).toEqual([
      '1000 core-crashed',
      '1000 starting',
      '1300 back a+b',
      '2000 core-crashed',
      '2100 starting',
      '2400 back a+b',
      '3000 core-crashed',
      '3000 quarantined',
    ]);
    expect(supervisor.state(0)).toBe('quarantined');
  });

  it('forgets losses that lie further back than the window', () => {
    const { device, supervisor, told, run } = createRig();
    void supervisor.start();
    for (const at of [1_000, 7_000, 13_000]) {
      run(at);
      device.crash(0);
    }
    run(14_000);
    expect(told.filter((line) => line.includes('quarantined'))).toEqual([]);
  });

  it('knocks once at a quarantined core, and goes back into quarantine at the first loss on probation', () => {
    const { device, supervisor, told, run } = createRig();
    void supervisor.start();
    for (const at of [1_000, 2_000, 3_000]) {
      run(at);
      device.crash(0);
    }
    run(8_000);
    expect(told.slice(-2)).toEqual(['6000 starting', '6300 back a+b']);
    device.crash(0);
    run(8_100);
    expect(told.slice(-2)).toEqual(['8000 core-crashed', '8000 quarantined']);
  });

  it('refuses a model with wrong bytes for good, and serves with the others', () => {
    const mismatch = new CoxswainError('MODEL_HASH_MISMATCH', 'other bytes');
    const { device, supervisor, told, run } = createRig({ failLoad: (_core, { id }) => (id === 'a' ? mismatch : undefined) });
    void supervisor.start();
    run(1_000);
    device.crash(0);
    run(2_000);
    expect(told.filter((line) => /refused|back/.test(line))).toEqual(['250 refused a MODEL_HASH_MISMATCH', '310 back b', '1250 back b']);
  });

  it('refuses a model whose first run fails, but not for what is not finite on zeros', () => {
    const ends: Record<string, SegmentEnd> = {
      a: { kind: 'failed', reason: 'wrong-shape', message: 'two outputs' },
      b: { kind: 'failed', reason: 'non-finite', message: 'NaN' },
    };
    const { supervisor, told, run } = createRig({}, ({ id }) => ends[id] ?? done);
    void supervisor.start();
    run(1_000);
    expect(told.filter((line) => /refused|back/.test(line))).toEqual(['260 refused a MODEL_CONTRACT', '320 back b']);
  });

  it('refuses a model that takes the core down twice before its first frame, so that the other may serve', () => {
    const { supervisor, told, run } = createRig({}, ({ id }) =>
      id === 'a' ? { kind: 'failed', reason: 'core-crashed', message: 'bomb' } : done,
    );
    void supervisor.start();
    run(3_000);
    expect(told.filter((line) => /refused|back/.test(line)).map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'refused a MODEL_UNLOADABLE',
      'back b',
    ]);
  });

  it('counts a failed start as a loss and tries again', async () => {
    const failed = new CoxswainError('CORE_START_FAILED', 'no such program');
    const { supervisor, told, run } = createRig({ failStart: (_core, nth) => (nth === 0 ? failed : undefined) });
    const started = supervisor.start();
    run(2_000);
    await started;
    expect(told.map((line) => line.replace(/^\S+ /, ''))).toEqual(['starting', 'core-crashed', 'starting', 'back a+b']);
  });

  it('after the stop tells losses but starts nothing', () => {
    const { device, supervisor, told, run } = createRig();
    void supervisor.start();
    run(1_000);
    supervisor.stop();
    device.crash(0);
    run(9_000);
    expect(told.slice(2)).toEqual(['1000 core-crashed']);
  });
});
