import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LiveOptions, renderLive } from '../../../src/cli/live-view.ts';
import { colourPaint, plainPaint } from '../../../src/cli/paint.ts';
import { renderSimSummary } from '../../../src/cli/sim-summary.ts';
import { renderSummary } from '../../../src/cli/summary.ts';
import { displayWidth } from '../../../src/cli/terminal-text.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import { cockpitTelemetry, drive } from './cli-fixtures.ts';

const driven = (node?: string) => {
  const clock = new SimClock(instantUs(1_000_000), Date.UTC(2026, 0, 2));
  const telemetry = cockpitTelemetry(clock, node);
  drive(telemetry, clock);
  return telemetry;
};

const options = (columns: number, rows = 40): LiveOptions => ({
  columns,
  rows,
  paint: plainPaint,
  http: undefined,
  elapsedMs: 7040,
  runFor: durationFromMs(20_000),
  printed: ['objects front#12 (61 ms): person 0.81'],
  notices: [],
  isStopping: false,
});

const golden = (name: string): string => `../../golden/cli/${name}.txt`;

describe('live view', () => {
  test.each([40, 60, 80, 120, 160])('looks as recorded at %d columns', async (columns) => {
    const lines = renderLive(driven().snapshot(), options(columns));
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(golden(`live-${columns}`));
  });

  test('gives up incidents first when the terminal is low, and says what it hides', async () => {
    const lines = renderLive(driven().snapshot(), options(80, 12));
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(golden('live-80-low'));
    expect(lines).toHaveLength(11);
  });

  test('paints latency against the deadline, and nothing without colour', () => {
    const { snapshot } = driven();
    expect(renderLive(snapshot(), { ...options(120), paint: colourPaint }).find((line) => line.includes('faces'))).toContain('\u001b[31m');
    expect(renderLive(snapshot(), options(120)).join('')).not.toContain('\u001b');
  });

  test('keeps a warning of the command in sight', () => {
    const lines = renderLive(driven().snapshot(), { ...options(80), notices: ['the log\u001b[2J ends here'] });
    expect(lines).toContain('warning: the log\\x1b[2J ends here');
  });

  test('never exceeds the terminal, whatever its size and whatever the names are', () => {
    const telemetry = driven('evil\u001b[2J\u202enode停車'.repeat(4));
    telemetry.incidents.add({ kind: 'warning', message: 'line\nbreak \u001b]0;x\u0007 '.repeat(20) });
    const snapshot = telemetry.snapshot();
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 220 }), fc.integer({ min: 2, max: 60 }), fc.boolean(), (columns, rows, isStopping) => {
        const lines = renderLive(snapshot, { ...options(columns, rows), isStopping, printed: ['\u001b[31mocr'] });
        expect(lines.length).toBeLessThanOrEqual(rows - 1);
        for (const line of lines) {
          expect(displayWidth(line)).toBeLessThanOrEqual(columns);
          expect(line).not.toContain('\u001b');
          expect(line).not.toContain('\n');
        }
      }),
    );
  });
});

describe('summary', () => {
  test('looks as recorded', async () => {
    await expect(`${renderSummary(driven().report(), 110, plainPaint).join('\n')}\n`).toMatchFileSnapshot(golden('summary'));
  });

  test('tells what became of the log', () => {
    const log = { file: 'd.log', lines: 7, bytes: 900, linesLost: 3, error: 'ENOSPC: no space left\u001b[0m' };
    const text = renderSummary({ ...driven().report(), log }, 110, plainPaint).join('\n');
    expect(text).toContain('log d.log, 7 lines, 3 lines lost: ENOSPC: no space left\\x1b[0m');
  });
});

describe('summary of a simulation', () => {
  const spread = { low: 0.002, high: 0.004 };
  const simulation = {
    ...{
      soc: 'rk3588',
      mode: 'w12',
      seed: 7,
      span: { askedMs: 20_000, simulatedMs: 20_000 },
      kinds: ['npu', 'npu'],
      policy: 'coxswain',
      compute: 'none',
      faults: {},
      unfed: ['signs-text'],
    },
    models: [
      {
        ...{ id: 'nanodet', origin: 'onnx', told: 'its graph', runs: 40, aloneMs: 5.2, gmac: 2.09, dramBytes: 10_300_000 },
        ...{ weightBytes: 3_800_000, utilisationRatio: 0.71, joules: spread },
      },
    ],
    bus: { bytes: 6.4e9, ratio: 0.04, meanGbs: 1.29 },
    power: { joules: { low: 32, high: 33 }, meanW: { low: 4.59, high: 4.64 }, maxW: 4.96, modeW: 12, cappedRatio: 0 },
    heat: { dieC: 28.7, dieMaxC: 28.7, caseMaxC: 25.3, throttledRatio: 0 },
  };

  test('looks as recorded', async () => {
    const lines = renderSimSummary({ ...driven().report(), simulation }, 110, plainPaint);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(golden('sim-summary'));
  });

  test('says that it was stopped before its end', () => {
    const cut = { ...simulation, span: { askedMs: 360_000_000, simulatedMs: 436_000 } };
    const text = renderSimSummary({ ...driven().report(), simulation: cut }, 110, plainPaint).join('\n');
    expect(text).toContain('stopped before its end: 7:16 of 100:00:00');
    expect(renderSimSummary({ ...driven().report(), simulation }, 110, plainPaint).join('\n')).not.toContain('stopped before');
  });

  test('says what was found where outputs are real', async () => {
    const detections = { objects: { person: 88, cake: 8 }, lines: {} };
    const report = { ...driven().report(), detections, simulation: { ...simulation, compute: 'ort', unfed: [] } };
    await expect(`${renderSimSummary(report, 110, plainPaint).join('\n')}\n`).toMatchFileSnapshot(golden('sim-summary-computed'));
  });
});
