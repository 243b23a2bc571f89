import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RuntimeConfig } from '../../../src/config/runtime-config.ts';
import type { LeafSource } from '../../../src/config/source-config.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { type ResultPayload, resultSchema } from '../../../src/mqtt/payloads.ts';
import { type SimulateDeps, type Simulation, simulate } from '../../../src/runtime/simulate.ts';
import type { SimulateOptions } from '../../../src/runtime/simulate-options.ts';
import { startRuntime } from '../../../src/runtime/start.ts';
import { childPids } from '../../support/child-pids.ts';
import { eventually } from '../../support/eventually.ts';
import { hasProgram } from '../../support/has-program.ts';
import { obtainSampleFolder } from '../../support/sample-files.ts';
import { modeOf, shippedConfig, shippedSoc, usedCosts } from '../../support/shipped.ts';

beforeAll(() => {
  obtainSampleFolder();
});

const cockpit = shippedConfig('cockpit');
const vehicle = shippedConfig('vehicle-500');
const profile = shippedSoc('rk3588');

/** One of the alternatives of a source of the cockpit. */
function leafOf(id: string, kind: LeafSource['kind']): LeafSource | undefined {
  const section = cockpit.sources.find((source) => source.id === id);
  return section?.kind === 'first-of' ? section.sources.find((leaf) => leaf.kind === kind) : section;
}

/** Some pipelines of the cockpit, its cameras showing photos, its results printed. */
const only = (...ids: readonly string[]): RuntimeConfig => ({
  ...cockpit,
  sources: cockpit.sources.map((source) => {
    const photos = source.kind === 'first-of' ? source.sources.find(({ kind }) => kind === 'images') : undefined;
    return photos === undefined ? source : { ...photos, id: source.id };
  }),
  pipelines: cockpit.pipelines.filter(({ id }) => ids.includes(id)).map((pipeline) => ({ ...pipeline, sinks: ['console'] })),
  mqtt: { ...cockpit.mqtt, broker: { kind: 'none' } },
});

interface Played extends Simulation {
  readonly log: string;
  readonly resultText: string;
  readonly results: readonly ResultPayload[];
}

async function play(
  config: RuntimeConfig,
  options: Partial<SimulateOptions>,
  pause: SimulateDeps['pause'] = async () => false,
): Promise<Played> {
  let [log, resultText] = ['', ''];
  const played = await simulate(
    { config, profile, mode: modeOf(profile), spanUs: durationFromMs(700), seed: 4, faults: {}, isTraced: true, ...options },
    {
      costs: usedCosts(config, options.profile ?? profile),
      realClock: createSystemClock(),
      log: async (text) => {
        log += text;
      },
      results: async (text) => {
        resultText += text;
      },
      pause,
    },
  );
  const lines = resultText.split('\n').filter((line) => line !== '');
  return { ...played, log, resultText, results: lines.map((line) => resultSchema.parse(JSON.parse(line))) };
}

/** What was found in a frame, as the console prints it. */
const foundIn = ({ items }: ResultPayload): string => {
  const shown = items
    .slice(0, 8)
    .map((item) => (item.kind === 'text' ? `"${item.text}" ${item.score.toFixed(2)}` : `${item.label} ${item.score.toFixed(2)}`));
  return [...shown, ...(items.length > 8 ? [`and ${items.length - 8} more`] : [])].join(', ');
};

describe('simulated time with real outputs', () => {
  it('decides what it decides without computing, byte for byte, and knows what is in the frames', async () => {
    const config = only('objects', 'faces', 'speech', 'lines');
    const [without, computed] = [await play(config, {}), await play(config, { compute: 'ort' })];
    expect(computed.log).toBe(without.log);
    expect(without.results).toEqual([]);
    const { report, results } = computed;
    expect(report.streams.map(({ id, jobs, latencyMs }) => ({ id, jobs, latencyMs }))).toEqual(
      without.report.streams.map(({ id, jobs, latencyMs }) => ({ id, jobs, latencyMs })),
    );
    for (const { id, jobs } of report.streams) {
      expect([id, jobs.done]).toEqual([id, jobs.arrived]);
      // What is still being said at the end comes out behind the last window.
      if (id !== 'speech') expect([id, results.filter(({ pipeline }) => pipeline === id).length]).toEqual([id, jobs.done]);
    }
    expect(report.voice.speechSeconds).toBeGreaterThan(0.1);
    expect(report.detections.objects?.person).toBeGreaterThan(3);
    expect(report.detections.faces?.face).toBeGreaterThan(3);
    expect(report.detections.lines?.line).toBeGreaterThan(3);
    expect(report.simulation).toMatchObject({ compute: 'ort', unfed: [] });
    // The chip's times, not ours.
    expect(report.streams[0]?.latencyMs.max).toBeLessThan(10);
  });

  it('gives the same bytes from the same seed, texts read in boxes and cores that crash, hang and give wrong numbers included', async () => {
    const config = only('objects', 'speech', 'signs', 'signs-text');
    const options = { compute: 'ort', spanUs: durationFromMs(600), faults: { crash: 1, hang: 1, wrong: 2, slow: 1 } } as const;
    const [one, two] = [await play(config, options), await play(config, options)];
    expect(two.resultText).toBe(one.resultText);
    expect(two.log).toBe(one.log);
    expect(two.trace).toBe(one.trace);
    expect(two.report).toEqual(one.report);
    expect(one.report.incidents.some(({ kind }) => kind === 'core-lost')).toBe(true);
    expect(one.report.detections['signs-text']?.text).toBeGreaterThan(0);
    expect(one.problems).toEqual([]);
  });

  it('fails the job whose process is killed, and starts that again', async () => {
    const config = only('objects', 'faces');
    const others = childPids();
    let killed = 0;
    const { report, problems } = await play(config, { compute: 'ort' }, async (doneRatio) => {
      const pid = doneRatio > 0.3 && killed === 0 ? childPids().find((child) => !others.includes(child)) : undefined;
      if (pid !== undefined) {
        process.kill(pid, 'SIGKILL');
        killed += 1;
      }
      return false;
    });
    expect(killed).toBe(1);
    expect(problems).toEqual([expect.stringMatching(/SIGKILL.*is started again/)]);
    for (const { id, jobs } of report.streams) expect([id, jobs.done + (jobs.failed['device-error'] ?? 0)]).toEqual([id, jobs.arrived]);
    expect(report.incidents.filter(({ kind }) => kind === 'core-lost')).toEqual([]);
  });

  it('ends early when asked, lets what runs end, and leaves no process behind', async () => {
    const others = childPids();
    const { report, results } = await play(
      only('objects', 'faces', 'lines'),
      { compute: 'ort', spanUs: durationFromMs(60_000) },
      async (doneRatio) => {
        expect(childPids().length).toBeGreaterThan(others.length);
        return doneRatio > 0.005;
      },
    );
    expect(report.durationMs).toBeLessThan(2_000);
    expect(results.length).toBeGreaterThan(0);
    for (const { id, jobs } of report.streams) expect([id, jobs.inFlight]).toEqual([id, 0]);
    expect(childPids()).toEqual(others);
  });

  it('finds in each frame what a real run finds in it', async () => {
    const config = only('objects', 'faces', 'signs', 'signs-text');
    const { results, report } = await play(config, { compute: 'ort', spanUs: durationFromMs(1_500) });
    expect(report.detections['signs-text']?.text).toBeGreaterThan(0);
    const simulated = new Map<string, string>();
    for (const result of results) {
      const key = `${result.pipeline} ${result.source}#${result.sequence}`;
      if (result.items.length > 0) simulated.set(key, foundIn(result));
    }

    const lines: string[] = [];
    const runtime = await startRuntime(config, { clock: createSystemClock(), print: (line) => lines.push(line) });
    const told = (pipeline: string): number => lines.filter((line) => line.startsWith(`${pipeline} `)).length;
    await eventually(() => told('objects') > 8 && told('signs-text') > 0, 'the real run has found persons and read a text', 90_000);
    await runtime.stop('drain');
    const compared: string[] = [];
    for (const line of lines) {
      const [, pipeline = '', frame = '', found = ''] = /^(\S+) (\S+) \(.*?\): (.*)$/.exec(line) ?? [];
      const ours = simulated.get(`${pipeline} ${frame}`);
      // Text boxes are numbered as they come, and a real run leaves out frames of background streams.
      if (ours === undefined || pipeline === 'signs-text') continue;
      compared.push(pipeline);
      expect(`${pipeline} ${frame}: ${ours}`).toBe(`${pipeline} ${frame}: ${found}`);
    }
    // On a busy machine the background reads none of the few frames that were simulated.
    expect(compared).toEqual(expect.arrayContaining(['objects', 'faces']));
    expect(compared.length).toBeGreaterThan(8);
    const texts = (of: Iterable<string>): string[] => [...new Set([...of].flatMap((text) => text.match(/"[^"]+"/g) ?? []))].sort();
    const read = texts(lines.filter((line) => line.startsWith('signs-text')));
    expect(read.length).toBeGreaterThan(0);
    expect(texts([...simulated].filter(([key]) => key.startsWith('signs-text')).map(([, found]) => found))).toEqual(
      expect.arrayContaining(read),
    );
  });

  it('leaves the results of models that are only described empty, beside others that find something', async () => {
    const rear = vehicle.pipelines.find(({ id }) => id === 'rear-objects');
    const base = only('objects', 'signs-text');
    if (rear === undefined) throw new Error('vehicle-500 looks back');
    const config: RuntimeConfig = {
      ...base,
      models: [...base.models, ...vehicle.models],
      pipelines: [
        ...base.pipelines.filter(({ id }) => id === 'objects'),
        { ...rear, id: 'rear', input: { kind: 'source', source: 'front' }, cores: undefined },
      ],
    };
    const { report, problems, results } = await play(config, { compute: 'ort' });
    expect(report.detections.objects?.person).toBeGreaterThan(3);
    expect(report.streams.find(({ id }) => id === 'rear-objects')?.jobs.done).toBeGreaterThan(3);
    for (const { items } of results.filter(({ pipeline }) => pipeline === 'rear')) expect(items).toEqual([]);
    expect(problems).toEqual([expect.stringMatching(/^results of rear are empty: .* only described/)]);
  });

  it.skipIf(!hasProgram('ffmpeg'))('shows a video file frame by frame, through ffmpeg, until it is over', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coxswain-film-'));
    const file = join(folder, 'film.mp4');
    const [photos, video] = [leafOf('front', 'images'), leafOf('front', 'video')];
    if (photos?.kind !== 'images' || video?.kind !== 'video') throw new Error('the front camera shows a video or photos');
    const input = ['-framerate', '8', '-pattern_type', 'glob', '-i', photos.files, '-vf', 'scale=768:576,format=yuv420p'];
    const made = spawnSync('ffmpeg', ['-v', 'error', '-y', ...input, '-c:v', 'mpeg4', '-q:v', '2', file]);
    expect(String(made.stderr)).toBe('');
    const film = { ...video, id: 'front', from: { kind: 'file', file, isLooping: false } } as const;
    const { report } = await play({ ...only('objects'), sources: [film] }, { compute: 'ort', spanUs: durationFromMs(2_000) });
    rmSync(folder, { recursive: true });
    expect(report.detections.objects?.person).toBeGreaterThan(3);
    expect(report.streams.map(({ jobs }) => jobs.done)).toEqual([5]);
    expect(report.incidents.map(({ kind }) => kind)).toContain('source-ended');
  });

  it('refuses a configuration without any model to compute, and sources that do not wait', async () => {
    const [car, mode] = [shippedSoc('car-500'), modeOf(shippedSoc('car-500'))];
    await expect(play(vehicle, { profile: car, mode, compute: 'ort' })).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('nothing to compute') }),
    );
    const speech = only('speech');
    const live = shippedConfig('live').sources.find(({ kind }) => kind === 'microphone');
    if (live === undefined) throw new Error('live has a microphone');
    const config = {
      ...speech,
      sources: speech.sources.map((source) => (source.id === 'microphone' ? { ...live, id: source.id } : source)),
    };
    await expect(play(config, { compute: 'ort' })).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('does not wait for simulated time') }),
    );
  });
});
