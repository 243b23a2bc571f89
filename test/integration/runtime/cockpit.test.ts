import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreId } from '../../../src/core/job.ts';
import { type Report, reportSchema } from '../../../src/telemetry/report-schema.ts';
import { type Coxswain, coxswain } from '../../support/coxswain.ts';
import { eventually } from '../../support/eventually.ts';
import { obtainSampleFolder } from '../../support/sample-files.ts';
import { observe } from '../mqtt/peers.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-cockpit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  obtainSampleFolder();
});

const readReport = (file: string): Report => reportSchema.parse(JSON.parse(readFileSync(file, 'utf8')));

const sum = (counts: Readonly<Record<string, number | undefined>>): number =>
  Object.values(counts).reduce<number>((total, count) => total + (count ?? 0), 0);

function expectSumsToAddUp(report: Report): void {
  for (const { id, jobs } of report.streams) {
    const ended = jobs.done + jobs.late + sum(jobs.dropped) + sum(jobs.rejected) + sum(jobs.failed);
    expect(ended + jobs.inFlight, `stream ${id}`).toBe(jobs.arrived);
    // Texts are read where boxes were found, and on a busy machine the background may not get so far.
    if (id !== 'signs-text') expect(jobs.arrived, `stream ${id} has jobs`).toBeGreaterThan(0);
  }
}

/** The shipped configuration on free ports, so that it can run beside one that is at work. */
const config = join(folder, 'cockpit.yaml');
beforeAll(() => {
  const shipped = readFileSync('configs/cockpit.yaml', 'utf8');
  const text = shipped
    .replace('port: 18830', 'port: 0')
    .replace('port: 18080', 'port: 0')
    .replaceAll('../', `${resolve('.')}/`);
  writeFileSync(
    config,
    text.replace('models: ./', `models: ${resolve('configs')}/`).replace('catalogue: ', `catalogue: ${resolve('configs')}/`),
  );
});

const start = (name: string, seconds: number): { readonly run: Coxswain; readonly file: string } => {
  const file = join(folder, `${name}.json`);
  return { run: coxswain(['run', config, '--plain', '--for', `${seconds}s`, '--report', file]), file };
};

/** Waits until the core is back after a loss, and says how long that took, in milliseconds. */
async function awaitReturn(run: Coxswain, core: CoreId, begin: () => void): Promise<number> {
  const backs = (): number => run.text().match(new RegExp(`core-back core ${core}`, 'g'))?.length ?? 0;
  const before = backs();
  const beganAt = performance.now();
  begin();
  await eventually(() => backs() > before, `core ${core} is back; it said:\n${run.text()}`);
  return performance.now() - beganAt;
}

describe('the cockpit', () => {
  it('finds people, faces, text, lines and speech in real input, and every job has one outcome', async () => {
    // Background work takes what others leave: on a busy machine it needs longer until it has read a text and found lines.
    const play = async (seconds: number) => {
      const { run, file } = start(`plain-${seconds}`, seconds);
      expect(await run.ended, run.text()).toBe(0);
      return { run, report: readReport(file) };
    };
    const isDone = ({ detections }: Report): boolean =>
      detections['signs-text']?.text !== undefined && detections.lines?.line !== undefined;
    const short = await play(8);
    const { run, report } = isDone(short.report) ? short : await play(40);
    expectSumsToAddUp(report);
    const { detections } = report;
    expect(detections.objects?.person).toBeGreaterThan(10);
    expect(detections.faces?.face).toBeGreaterThan(20);
    expect(detections['signs-text']?.text).toBeGreaterThan(0);
    expect(detections.lines?.line).toBeGreaterThan(0);
    expect(report.voice.speechSeconds).toBeGreaterThan(1);
    // Faces that come while NanoDet runs go before it.
    expect(report.scheduler.yields).toBeGreaterThan(0);
    // Nobody drives here: the command goes out, and no machine takes it.
    expect(run.text()).toMatch(/assistant#1 driver: turn the seat heating to two\n {2}set_seat_heating .*: accepted/);
    for (const { id, jobs } of report.streams) expect(jobs.failed, `failures of ${id}`).toEqual({});
    expect(report.cores.map(({ state, restarts }) => ({ state, restarts }))).toEqual([
      { state: 'ready', restarts: 0 },
      { state: 'ready', restarts: 0 },
    ]);
  });

  it('brings a killed core back and says so in the report, on MQTT and on screen; the other core loses nothing by it', async () => {
    const { run, file } = start('killed', 12);
    await run.said(/source-live/);
    const url = /mqtt:\/\/127\.0\.0\.1:\d+/.exec(run.text())?.[0];
    expect(url, run.text()).toBeDefined();
    const viewer = await observe(String(url), { protocolVersion: 4 });
    const [, background] = run.corePids();
    const tookMs = await awaitReturn(run, 1, () => process.kill(Number(background), 'SIGKILL'));
    expect(tookMs).toBeLessThan(5_000);
    expect(await run.ended, run.text()).toBe(0);
    await viewer.client.endAsync(true);

    const report = readReport(file);
    expectSumsToAddUp(report);
    expect(report.cores.map(({ restarts }) => restarts)).toEqual([0, 1]);
    for (const id of ['objects', 'faces', 'speech']) {
      expect(report.streams.find((stream) => stream.id === id)?.jobs.failed, id).toEqual({});
    }
    const kinds = report.incidents.filter(({ core }) => core === 1).map(({ kind }) => kind);
    expect(kinds).toEqual(['core-back', 'core-lost', 'core-back']);
    expect(viewer.received.some(({ topic }) => topic.endsWith('/event/core-lost'))).toBe(true);
    expect(viewer.received.some(({ topic }) => topic.endsWith('/event/core-back'))).toBe(true);
    expect(viewer.received.some(({ topic }) => topic.endsWith('/result/objects'))).toBe(true);
    expect(viewer.received.some(({ topic }) => topic.endsWith('/telemetry/core-0'))).toBe(true);
  });

  it('notices a stopped core by its hard timeout, and its safety streams go on', async () => {
    const { run, file } = start('stopped', 12);
    await run.said(/source-live/);
    const [safety] = run.corePids();
    await awaitReturn(run, 0, () => process.kill(Number(safety), 'SIGSTOP'));
    expect(await run.ended, run.text()).toBe(0);
    const report = readReport(file);
    expectSumsToAddUp(report);
    expect(report.incidents.find(({ kind }) => kind === 'core-lost')?.message).toMatch(/hung/);
    expect(report.cores[0]?.restarts).toBe(1);
    expect(report.streams.find(({ id }) => id === 'objects')?.jobs.done).toBeGreaterThan(5);
  });

  it('drains at SIGTERM, writes its report and leaves no process behind', async () => {
    const { run, file } = start('drained', 60);
    await run.said(/source-live/);
    const pids = run.corePids();
    expect(pids).toHaveLength(2);
    run.process.kill('SIGTERM');
    expect(await run.ended, run.text()).toBe(0);
    const report = readReport(file);
    expect(report.streams.every(({ jobs }) => jobs.inFlight === 0)).toBe(true);
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  });
});
