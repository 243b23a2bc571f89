import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../src/config/config-files.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { loadSoc } from '../../../src/config/load-soc.ts';
import type { LanguageShape, RuntimeConfig } from '../../../src/config/runtime-config.ts';
import type { SocProfile } from '../../../src/core/soc-profile.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { planModel } from '../../../src/runtime/plan-model.ts';
import { type Simulation, simulate } from '../../../src/runtime/simulate.ts';
import { costsOf, languageModelOf } from '../../../src/runtime/simulate-costs.ts';
import type { SimulateOptions } from '../../../src/runtime/simulate-options.ts';
import { reportSchema } from '../../../src/telemetry/report-schema.ts';

const root = resolve(import.meta.dirname, '../../..');
const files = createConfigFiles();
const soc = (id: string): SocProfile => loadSoc(`${root}/configs/soc/${id}.yaml`, { files });
const vehicle = loadConfig(`${root}/configs/vehicle-500.yaml`, { env: {}, files });

/** Somebody who speaks twice a second, and takes what comes as fast as it comes. */
const chatty: RuntimeConfig = {
  ...vehicle,
  sources: vehicle.sources.map((source) =>
    source.kind === 'turns' ? { ...source, arrivals: 'periodic', periodUs: durationFromMs(500), answerTokens: { from: 2, to: 9 } } : source,
  ),
  pipelines: vehicle.pipelines.map((pipeline) =>
    pipeline.answer === undefined
      ? pipeline
      : {
          ...pipeline,
          stream: { ...pipeline.stream, periodUs: durationFromMs(500), tokens: {} },
          answer: { tokensMax: 10, breaksIn: false },
        },
  ),
};

async function play(changes: Partial<SimulateOptions> = {}): Promise<Simulation & { readonly log: string }> {
  const profile = changes.profile ?? soc('car-500');
  const [mode] = profile.modes;
  if (mode === undefined) throw new Error('a profile has a mode');
  const config: RuntimeConfig = changes.config ?? vehicle;
  const used = new Set(config.pipelines.map(({ stream }) => stream.model));
  let log = '';
  const played = await simulate(
    { config, profile, mode, spanUs: durationFromMs(2_000), seed: 1, faults: {}, isTraced: true, ...changes },
    {
      costs: config.models.filter(({ id }) => used.has(id)).map((model) => costsOf(model, 'int8')),
      log: async (text) => {
        log += text;
      },
    },
  );
  return { ...played, log };
}

describe('a simulated run', () => {
  it('holds streams to their budgets, tells what became of them, and what the bus cannot carry', async () => {
    const held = (mb: number): RuntimeConfig => ({
      ...chatty,
      scheduler: {
        ...chatty.scheduler,
        busBudget: {
          periodUs: durationFromMs(1),
          streams: [
            { stream: 'assistant', bytes: mb * 1e6 },
            { stream: 'front-objects', bytes: 150e6 },
          ],
        },
      },
    });
    const { report, problems } = await play({ config: held(60) });
    expect(reportSchema.safeParse(report).error).toBeUndefined();
    expect(problems).toEqual([]);
    const { budgets = [], bus } = report.simulation ?? {};
    expect(budgets.map(({ id }) => id)).toEqual(['assistant', 'front-objects']);
    const [assistant, front] = budgets;
    // Two seconds have 2 000 periods.
    expect(assistant?.bytes).toBeGreaterThan(20e9);
    expect(assistant?.bytes).toBeLessThanOrEqual(2_001 * 60e6);
    expect(assistant?.stalls).toBeGreaterThan(200);
    expect(assistant?.stalledMs).toBeGreaterThan(200);
    expect(front).toMatchObject({ stalls: 0, stalledMs: 0 });
    expect((assistant?.bytes ?? 0) + (front?.bytes ?? 0)).toBeLessThan(bus?.bytes ?? 0);
    const { report: free } = await play({ config: chatty });
    expect(free.simulation?.budgets).toBeUndefined();
    const tokenMs = ({ streams }: typeof report): number =>
      streams.find(({ id }) => id === 'assistant')?.answers?.perTokenMs.p50 ?? Number.NaN;
    expect(tokenMs(report)).toBeGreaterThan(tokenMs(free) * 2);
    expect((await play({ config: held(100) })).problems).toEqual([expect.stringMatching(/^bus budgets: together they come to 250 GB\/s/)]);
  });

  it('loses nothing of the car on the chip that it was made for, and says so in the words of a run', async () => {
    const { report, problems } = await play({ config: chatty });
    expect(reportSchema.safeParse(report).error).toBeUndefined();
    expect(problems).toEqual([]);
    for (const { id, jobs } of report.streams) {
      expect(jobs.inFlight, id).toBe(0);
      expect(jobs.late + Object.values(jobs.failed).length, id).toBe(0);
      expect(jobs.done, id).toBeGreaterThan(id === 'assistant' ? 2 : 15);
    }
    expect(report.simulation?.bus.ratio).toBeGreaterThan(0.2);
    expect(report.simulation?.models.map(({ origin }) => origin)).toEqual(report.simulation?.models.map(() => 'shape'));
  });

  it('gives the same bytes from the same seed, faults included, and others from another', async () => {
    const faults = { crash: 1, slow: 1, wrong: 1, bandwidth: 1, heat: 1, hang: 1 };
    const [one, two, other] = [await play({ faults, seed: 5 }), await play({ faults, seed: 5 }), await play({ faults, seed: 6 })];
    expect(JSON.stringify(two.report)).toBe(JSON.stringify(one.report));
    expect(two.log).toBe(one.log);
    expect(two.trace).toBe(one.trace);
    expect(other.log).not.toBe(one.log);
    expect(one.report.incidents.map(({ kind }) => kind)).toContain('core-lost');
    for (const { id, jobs } of one.report.streams) {
      const sum = (counts: object): number => Object.values(counts).reduce((total: number, count: number) => total + count, 0);
      expect(jobs.done + jobs.late + sum(jobs.dropped) + sum(jobs.rejected) + sum(jobs.failed), id).toBe(jobs.arrived);
    }
  });

  it('gives up what its modes say when the bus is short or a core is gone, gives it back, and loses no frame of safety by it', async () => {
    const config: RuntimeConfig = {
      ...vehicle,
      modes: vehicle.modes && { ...vehicle.modes, enterAfterUs: durationFromMs(100), leaveAfterUs: durationFromMs(500) },
      runtime: { ...vehicle.runtime, restart: { ...vehicle.runtime.restart, backoffUs: durationFromMs(100) } },
    };
    const { report, log } = await play({ config, faults: { bandwidth: 1 }, seed: 2, spanUs: durationFromMs(8_000) });
    const told = report.incidents.filter(({ kind }) => kind === 'mode' || kind === 'variant').map(({ message }) => message);
    expect(told[0]).toBe('mode bandwidth-short, after nominal');
    expect(told).toContain('road-signs is not served in mode bandwidth-short');
    expect(told).toContain('mode nominal, after bandwidth-short');
    expect(told).toContain('road-signs is served with signs in mode nominal');
    expect(log).toContain('"kind":"mode"');
    const jobs = (id: string) => report.streams.find((stream) => stream.id === id)?.jobs;
    expect(jobs('road-signs')?.dropped.shed).toBeGreaterThan(5);
    expect(jobs('road-signs')?.done).toBeGreaterThan(5);
  });

  it('shows a chip that is too small what it cannot do', async () => {
    const config = { ...chatty, pipelines: chatty.pipelines.map((pipeline) => ({ ...pipeline, cores: undefined })) };
    const { report } = await play({ profile: soc('rk3576'), config });
    expect(report.simulation?.soc).toBe('rk3576');
    const lost = report.streams.filter(({ jobs }) => jobs.done < jobs.arrived / 2);
    expect(lost.map(({ id }) => id)).toEqual(expect.arrayContaining(['freespace', 'assistant']));
  });

  it('says which model no core could load, and why', async () => {
    const { problems, report } = await play({ profile: { ...soc('car-500'), addressWindowBytes: 4e9 }, spanUs: durationFromMs(100) });
    expect(problems).toEqual([
      expect.stringMatching(
        /core 7 refuses model assistant-8b: assistant-8b needs 4\.79 GB at once, and core 7 of car-500 can address 4 GB/,
      ),
    ]);
    expect(report.incidents.filter(({ kind }) => kind === 'model-refused')).toHaveLength(1);
  });

  it('runs under the policy of the configuration, unless told another', async () => {
    const config: RuntimeConfig = { ...vehicle, scheduler: { policy: 'edf', tuning: { drop: 'none' }, cuts: 'auto' } };
    const plan = async (changes: Partial<SimulateOptions>): Promise<object> => {
      const { report, log } = await play({ config, spanUs: durationFromMs(100), ...changes });
      const header = JSON.parse(log.split('\n')[0] ?? '') as { readonly plan: { readonly policy: string; readonly tuning?: object } };
      return { policy: header.plan.policy, tuning: header.plan.tuning, reported: report.simulation?.policy };
    };
    expect(await plan({})).toEqual({ policy: 'edf', tuning: { drop: 'none' }, reported: 'edf' });
    expect(await plan({ policy: 'edf' })).toEqual({ policy: 'edf', tuning: { drop: 'none' }, reported: 'edf' });
    // What was tuned was tuned for another policy.
    expect(await plan({ policy: 'fifo' })).toEqual({ policy: 'fifo', tuning: undefined, reported: 'fifo' });
  });

  it('refuses a pin to a core that the chip does not have', async () => {
    await expect(play({ profile: soc('glasses') })).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('glasses has cores 0 to 0') }),
    );
  });

  it('draws a trace with a row per core, an arrow per frame that ran, and counters', async () => {
    const { trace } = await play({ config: chatty });
    const { traceEvents } = JSON.parse(trace ?? '') as {
      readonly traceEvents: readonly { ph: string; name: string; pid: number; tid?: number; id?: number; ts?: number; dur?: number }[];
    };
    const of = (phase: string) => traceEvents.filter(({ ph }) => ph === phase);
    expect(traceEvents.filter(({ ph, name, pid }) => ph === 'M' && name === 'thread_name' && pid === 1)).toHaveLength(8);
    expect(new Set(of('C').map(({ name }) => name))).toEqual(new Set(['bus GB/s', 'power W', 'die degC']));
    const begun = new Set(of('s').map(({ id }) => id));
    expect(of('f').length).toBeGreaterThan(400);
    expect(of('f').every(({ id }) => begun.has(id))).toBe(true);
    expect(of('b').length).toBe(of('e').length);
    const slices = of('X').filter(({ pid }) => pid === 1);
    for (const core of [0, 7]) {
      const mine = slices.filter(({ tid }) => tid === core).sort((a, b) => (a.ts ?? 0) - (b.ts ?? 0));
      expect(mine.length).toBeGreaterThan(20);
      mine.forEach(({ ts = 0 }, index) => {
        const before = mine[index - 1];
        expect(ts).toBeGreaterThanOrEqual((before?.ts ?? 0) + (before?.dur ?? 0));
      });
    }
  });
});

describe('the memory wall', () => {
  const shape = vehicle.models.find(({ id }) => id === 'assistant-8b')?.shape as LanguageShape;
  const car = soc('car-500');
  const peak = { ...car, dram: { ...car.dram, efficiencyRatio: 1 } };

  it('lies at 1831 operations a byte on 500 TOPS over 273 GB/s', () => {
    expect((8 * (car.core.opsPerSecond.int8 ?? 0)) / car.dram.bytesPerSecond).toBeCloseTo(1831.5, 1);
  });

  it('makes a token of 8B at 4.5 bits cost 4.5 GB: 16.6 ms at the full bus, 0.52 ms for each of 32 layers', () => {
    const model = languageModelOf(shape);
    expect(model.weightBytes / 1e9).toBeCloseTo(4.5, 1);
    expect((model.weightBytes / 273e9) * 1e3).toBeCloseTo(16.6, 0);
    expect(((model.weightBytes / 273e9) * 1e3) / 32).toBeCloseTo(0.52, 2);
    const [mode] = peak.modes;
    if (mode === undefined) throw new Error('a profile has a mode');
    const { speed } = planModel({ profile: peak, mode, shape, bits: 4, contextTokens: 1 });
    // The embedding is looked up, not read, which takes 0.3 GB off the weights; activations that spill add a little.
    expect(1e3 / (speed?.decode.tokensPerSecond ?? 0)).toBeGreaterThan(15.3);
    expect(1e3 / (speed?.decode.tokensPerSecond ?? 0)).toBeLessThan(16.6);
    expect(speed?.decode.isMemoryBound).toBe(true);
  });

  it('takes 55 % of the bus at 30 ms a token and 25 % at 15 tokens a second', () => {
    const ratio = (tokensPerSecond: number): number => (languageModelOf(shape).weightBytes * tokensPerSecond) / 273e9;
    expect(ratio(1000 / 30)).toBeCloseTo(0.55, 2);
    expect(ratio(15)).toBeCloseTo(0.25, 2);
  });

  it('breaks even at a chunk of about 206 tokens at 200 effective TOPS', () => {
    expect((200e12 * (4.5 / 8)) / (2 * 273e9)).toBeCloseTo(206, 0);
  });

  it('does not let 8B into a pair of glasses', () => {
    const glasses = soc('glasses');
    const [mode] = glasses.modes;
    if (mode === undefined) throw new Error('a profile has a mode');
    const made = planModel({ profile: glasses, mode, shape, bits: 4, contextTokens: 2048 });
    expect(made.memory.doesFit).toBe(false);
    expect(made.speed).toBeUndefined();
  });
});
