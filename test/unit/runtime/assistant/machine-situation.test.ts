import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../../src/config/config-files.ts';
import { loadActions } from '../../../../src/config/load-actions.ts';
import type { MachineState } from '../../../../src/core/machine-state.ts';
import type { SignalValue } from '../../../../src/core/signal.ts';
import { instantUs } from '../../../../src/core/units.ts';
import { machineSituation, type SituationOptions } from '../../../../src/runtime/assistant/machine-situation.ts';
import { ms } from '../../../support/action-rig.ts';

const NOW = instantUs(10_000_000);

const WINDOWS_CLOSED = Object.fromEntries(
  ['driver', 'passenger', 'rear_left', 'rear_right', 'sunroof'].map((window) => [`windowPercent.${window}`, 0]),
);

/** Asks by names of the shipped catalogues alone. */
function createState(machine: 'cockpit' | 'robot', values: Readonly<Record<string, SignalValue>>, at = NOW): MachineState {
  const file = resolve(import.meta.dirname, `../../../../configs/actions/${machine}.yaml`);
  const names = new Set(loadActions(file, { files: createConfigFiles() }).signals.map(({ name }) => name));
  for (const name of Object.keys(values)) expect(names).toContain(name);
  return {
    read(signal) {
      expect(names).toContain(signal);
      const value = values[signal];
      return value === undefined ? undefined : { value, at };
    },
  };
}

const options = (machine: 'vehicle' | 'robot', texts: readonly string[] = []): SituationOptions => ({
  machine,
  stateAgeMaxUs: ms(1000),
  texts,
});

describe('the situation of a machine', () => {
  it('is what a car reports, in the steps that the prompt has', () => {
    const state = createState('cockpit', {
      ...{ speedKmh: 79.6, gear: 'D', insideC: 21.4, outsideC: -0.2, 'wishedC.driver': 21.26, batteryPercent: 64.4, rangeKm: 310.2 },
      ...{ isLocked: true, ...WINDOWS_CLOSED, volumePercent: 40, media: 'playing', mediaTitle: 'Blue Rain' },
      ...{ guidance: 'on', guidancePlace: 'Marsdown Lane', guidanceKm: 12.3, guidanceMinutes: 17.9 },
    });
    const known = { kind: 'vehicle', speedKmh: 80, gear: 'D', insideC: 21, outsideC: 0, wishedC: 21.5, batteryPercent: 64, rangeKm: 310 };
    const plain = { ...known, isLocked: true, windows: 'closed', volumePercent: 40 };
    expect(machineSituation(state, NOW, options('vehicle'))).toEqual(plain);
    expect(machineSituation(state, NOW, options('vehicle', ['mediaTitle', 'guidancePlace']))).toEqual({
      ...plain,
      playing: 'Blue Rain',
      guidance: { place: 'Marsdown Lane', distanceKm: 12, minutes: 18 },
    });
  });

  it('is what a robot reports', () => {
    const state = createState('robot', { speedMps: -0.52, batteryPercent: 80, motion: 'docked', emergencyStop: false });
    const expected = { kind: 'robot', speedMps: 0.5, batteryPercent: 80, isDocked: true, isEmergencyStopped: false };
    expect(machineSituation(state, NOW, options('robot'))).toEqual(expected);
    expect(machineSituation(createState('robot', { speedMps: 0.04 }), NOW, options('robot'))).toEqual({ kind: 'robot', speedMps: 0 });
  });

  it('leaves out what is older than allowed or from the future, and keeps what is just young enough', () => {
    const ask = (at: number) => machineSituation(createState('cockpit', { speedKmh: 5 }, instantUs(at)), NOW, options('vehicle'));
    expect(ask(9_000_000)).toEqual({ kind: 'vehicle', speedKmh: 5 });
    expect(ask(8_999_999)).toEqual({ kind: 'vehicle' });
    expect(ask(10_000_001)).toEqual({ kind: 'vehicle' });
  });

  it('leaves out values of another type than the prompt has', () => {
    const state = createState('cockpit', { speedKmh: 'fast', gear: 'X', insideC: Number.NaN, mediaTitle: ' ', media: 'playing' });
    expect(machineSituation(state, NOW, options('vehicle', ['mediaTitle']))).toEqual({ kind: 'vehicle' });
  });

  it('says that windows are open when one is, and that they are closed only when all are known to be', () => {
    const windows = (values: Readonly<Record<string, SignalValue>>) =>
      machineSituation(createState('cockpit', values), NOW, options('vehicle'));
    expect(windows({ 'windowPercent.sunroof': 30 })).toMatchObject({ windows: 'open' });
    expect(windows({ 'windowPercent.driver': 0 })).toEqual({ kind: 'vehicle' });
    expect(windows(WINDOWS_CLOSED)).toMatchObject({ windows: 'closed' });
  });
});
