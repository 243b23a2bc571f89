import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CoxswainError } from '../../src/core/errors.ts';
import type { Segment, SegmentEnd } from '../../src/core/segment.ts';
import type { CoreLoss } from '../../src/devices/device.ts';
import { ADAPTERS, type Adapter, region } from './device-adapters.ts';

describe.each(ADAPTERS)('device %s', (_, createAdapter) => {
  let dir: string;
  let adapter: Adapter;
  /** Everything that was called back, in order. */
  let calls: string[];
  let losses: CoreLoss[];
  let ends: SegmentEnd[];
  let errors: (CoxswainError | undefined)[];

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'coxswain-device-'));
    calls = [];
    losses = [];
    ends = [];
    errors = [];
    const coreLost = (loss: CoreLoss): void => {
      losses.push(loss);
      calls.push(`lost ${loss.core} ${loss.reason}`);
    };
    adapter = createAdapter({ coreLost }, dir);
  });

  afterEach(async () => {
    await adapter.close();
    rmSync(dir, { recursive: true });
  });

  const told = (count: number): Promise<boolean> => adapter.until(() => calls.length >= count);

  const start = (core: number): void =>
    adapter.device.start(core, (error) => {
      errors.push(error);
      calls.push(`started ${core} ${error?.code ?? 'well'}`);
    });

  const load = (core: number, model = adapter.model): void =>
    adapter.device.load(core, model, (error) => {
      errors.push(error);
      calls.push(`loaded ${core} ${error?.code ?? 'well'}`);
    });

  const run = (core: number, segment: Segment): void =>
    adapter.device.run(core, segment, (end) => {
      ends.push(end);
      calls.push(`ended ${core} ${end.kind === 'done' ? 'done' : end.reason}`);
    });

  /** A core with both models, and a clean record. */
  const bringUp = async (core: number): Promise<void> => {
    start(core);
    expect(await adapter.until(() => adapter.device.health(core).state === 'ready')).toBe(true);
    load(core);
    load(core, adapter.otherModel);
    expect(await adapter.until(() => adapter.device.health(core).models.length === 2)).toBe(true);
    calls.length = 0;
    errors.length = 0;
  };

  it('names its cores, which are lost until started', () => {
    expect(adapter.device.cores).toEqual([0, 1]);
    for (const core of [0, 1]) expect(adapter.device.health(core)).toMatchObject({ core, state: 'lost', models: [] });
  });

  it('becomes ready with no models, and tells it after the call', async () => {
    start(0);
    expect(calls).toEqual([]);
    expect(adapter.device.health(0).state).toBe('starting');
    await told(1);
    expect(calls).toEqual(['started 0 well']);
    expect(adapter.device.health(0)).toMatchObject({ state: 'ready', models: [] });
    expect(adapter.device.health(1).state).toBe('lost');
  });

  it('loads models in the order asked for', async () => {
    start(0);
    await told(1);
    load(0);
    load(0, adapter.otherModel);
    expect(calls).toHaveLength(1);
    await told(3);
    expect(calls.slice(1)).toEqual(['loaded 0 well', 'loaded 0 well']);
    expect(adapter.device.health(0).models).toEqual([adapter.model.id, adapter.otherModel.id]);
  });

  it('runs a segment and tells when it began and ended, after the call', async () => {
    await bringUp(0);
    const before = adapter.clock.now();
    run(0, adapter.segment('ok'));
    expect(calls).toEqual([]);
    await told(1);
    const end = ends[0];
    expect(end?.kind).toBe('done');
    if (end?.kind !== 'done') return;
    expect(end.startedAt).toBeGreaterThanOrEqual(before);
    expect(end.endedAt).toBeGreaterThan(end.startedAt);
    expect(end.endedAt).toBeLessThanOrEqual(adapter.clock.now());
  });

  it('accepts the next segment from inside the end of the one before', async () => {
    await bringUp(0);
    adapter.device.run(0, adapter.segment('ok'), () => run(0, adapter.segment('ok')));
    await told(1);
    expect(calls).toEqual(['ended 0 done']);
  });

  it('runs two cores at once', async () => {
    await bringUp(0);
    await bringUp(1);
    const slow = adapter.segment('slow');
    run(0, slow);
    run(1, slow);
    await told(2);
    expect([...calls].sort()).toEqual(['ended 0 done', 'ended 1 done']);
    const [first, second] = ends;
    if (first?.kind !== 'done' || second?.kind !== 'done') throw new Error('both are done');
    expect(Math.max(first.startedAt, second.startedAt)).toBeLessThan(Math.min(first.endedAt, second.endedAt));
  });

  it('runs a segment on two cores at once, or refuses it, and goes on living', async () => {
    await bringUp(0);
    await bringUp(1);
    run(0, { ...adapter.segment('ok'), others: [1] });
    if (adapter.device.canSplit) expect(() => run(1, adapter.segment('ok'))).toThrow(/one segment at a time/);
    await told(1);
    run(1, adapter.segment('ok'));
    await told(2);
    expect(calls).toEqual([`ended 0 ${adapter.device.canSplit ? 'done' : 'device-error'}`, 'ended 1 done']);
  });

  it('fails a run whose output is not finite, and goes on living', async () => {
    await bringUp(0);
    run(0, adapter.segment('non-finite'));
    await told(1);
    run(0, adapter.segment('ok'));
    await told(2);
    expect(calls).toEqual(['ended 0 non-finite', 'ended 0 done']);
  });

  it('fails a run of a model that is not loaded, and goes on living', async () => {
    await bringUp(0);
    run(0, { ...adapter.segment('ok'), model: 'unheard-of' });
    await told(1);
    run(0, adapter.segment('ok'));
    await told(2);
    expect(calls).toEqual(['ended 0 model-unavailable', 'ended 0 done']);
  });

  it('fails a run whose regions are not those of the model, and goes on living', async () => {
    await bringUp(0);
    const segment = adapter.segment('ok');
    const wrong = [
      { ...segment, inputs: segment.inputs.slice(1) },
      { ...segment, outputs: [] },
      { ...segment, outputs: [region(128, 20)] },
      { ...segment, inputs: [region(0, 16), region(64, 12)] },
    ];
    for (const [index, one] of wrong.entries()) {
      run(0, one);
      await told(index + 1);
    }
    run(0, adapter.segment('ok'));
    await told(wrong.length + 1);
    expect(calls).toEqual([...wrong.map(() => 'ended 0 wrong-shape'), 'ended 0 done']);
  });

  it('kills a core that has not ended by killAt: the segment ends first, then the core is lost', async () => {
    await bringUp(0);
    run(0, adapter.segment('hang', 30_000));
    const killAt = adapter.clock.now() + 30_000;
    await told(2);
    expect(calls).toEqual(['ended 0 core-hung', 'lost 0 hung']);
    expect(adapter.clock.now()).toBeGreaterThanOrEqual(killAt);
    expect(adapter.device.health(0)).toMatchObject({ state: 'lost', models: [] });
  });

  it('leaves the other core alone when one hangs', async () => {
    await bringUp(0);
    await bringUp(1);
    run(0, adapter.segment('hang', 30_000));
    await told(2);
    run(1, adapter.segment('ok'));
    await told(3);
    expect(calls).toEqual(['ended 0 core-hung', 'lost 0 hung', 'ended 1 done']);
  });

  it('ends the running segment as crashed when its core does, then tells the loss', async () => {
    await bringUp(0);
    run(0, adapter.segment('hang'));
    adapter.crash(0);
    await told(2);
    expect(calls).toEqual(['ended 0 core-crashed', 'lost 0 crashed']);
    expect(losses[0]?.message).not.toBe('');
  });

  it('tells the loss of an idle core', async () => {
    await bringUp(0);
    adapter.crash(0);
    await told(1);
    expect(calls).toEqual(['lost 0 crashed']);
  });

  it('ends a run that is asked for between the crash and its telling', async () => {
    await bringUp(0);
    adapter.crash(0);
    run(0, adapter.segment('ok'));
    await told(2);
    expect(calls).toEqual(['ended 0 core-crashed', 'lost 0 crashed']);
  });

  it('kills on request, busy or idle, and tells it after the call', async () => {
    await bringUp(0);
    await bringUp(1);
    run(0, adapter.segment('hang'));
    adapter.device.kill(0);
    expect(calls).toEqual([]);
    await told(2);
    adapter.device.kill(1);
    await told(3);
    expect(calls).toEqual(['ended 0 core-crashed', 'lost 0 killed', 'lost 1 killed']);
  });

  it('does nothing when a lost core is killed, or one twice', async () => {
    adapter.device.kill(1);
    await bringUp(0);
    adapter.device.kill(0);
    adapter.device.kill(0);
    await told(1);
    start(0);
    await told(2);
    expect(calls).toEqual(['lost 0 killed', 'started 0 well']);
  });

  it('fails a start that is killed, without a loss', async () => {
    start(0);
    adapter.device.kill(0);
    await told(1);
    expect(calls).toEqual(['started 0 CORE_START_FAILED']);
    expect(adapter.device.health(0).state).toBe('lost');
  });

  it('fails the loads of a core that is killed meanwhile, every one', async () => {
    start(0);
    await told(1);
    load(0);
    load(0, adapter.otherModel);
    adapter.device.kill(0);
    await told(4);
    expect(calls.slice(1)).toEqual(['loaded 0 CORE_CRASHED', 'loaded 0 CORE_CRASHED', 'lost 0 killed']);
    expect(errors.slice(1).every((error) => error?.retryable)).toBe(true);
  });

  it('comes back empty, and works again', async () => {
    await bringUp(0);
    adapter.crash(0);
    await told(1);
    start(0);
    await told(2);
    expect(adapter.device.health(0).models).toEqual([]);
    await bringUpModels(0);
    run(0, adapter.segment('ok'));
    await told(5);
    expect(calls).toEqual(['lost 0 crashed', 'started 0 well', 'loaded 0 well', 'loaded 0 well', 'ended 0 done']);
  });

  const bringUpModels = async (core: number): Promise<void> => {
    load(core);
    load(core, adapter.otherModel);
    await adapter.until(() => adapter.device.health(core).models.length === 2);
  };

  it('gives every asked-for callback before dispose resolves, once, and none after', async () => {
    await bringUp(0);
    run(0, adapter.segment('hang'));
    start(1);
    await adapter.device.dispose();
    expect([...calls].sort()).toEqual(['ended 0 core-crashed', 'started 1 CORE_START_FAILED']);
    await adapter.device.dispose();
    await adapter.rest();
    expect(calls).toHaveLength(2);
    for (const core of [0, 1]) expect(adapter.device.health(core)).toMatchObject({ state: 'lost', pid: undefined });
  });

  it('refuses what its life does not allow as a bug of the caller', async () => {
    expect(() => run(0, adapter.segment('ok'))).toThrow(/ready/);
    expect(() => load(0)).toThrow(/ready/);
    expect(() => start(7)).toThrow(/one of this device/);
    await bringUp(0);
    expect(() => start(0)).toThrow(/lost/);
    run(0, adapter.segment('ok'));
    expect(() => run(0, adapter.segment('ok'))).toThrow(/one segment at a time/);
    await told(1);
    expect(calls).toEqual(['ended 0 done']);
  });
});
