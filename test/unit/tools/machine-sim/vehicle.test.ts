import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../../src/config/config-files.ts';
import { loadActions } from '../../../../src/config/load-actions.ts';
import type { ActionArgument } from '../../../../src/core/action.ts';
import type { SignalSpec, SignalValue } from '../../../../src/core/signal.ts';
import { actOnVehicle } from '../../../../tools/vehicle-sim/act.ts';
import { parseProfile, targetKmhAt } from '../../../../tools/vehicle-sim/drive-profile.ts';
import { createVehicle, stepVehicle, type Vehicle, vehicleSignals } from '../../../../tools/vehicle-sim/vehicle.ts';

const catalogue = loadActions(resolve(import.meta.dirname, '../../../../configs/actions/cockpit.yaml'), { files: createConfigFiles() });

/** `seconds` in steps of 50 ms. */
function drive(vehicle: Vehicle, seconds: number): Vehicle {
  let next = vehicle;
  for (let step = 0; step < seconds * 20; step += 1) next = stepVehicle(next, 0.05);
  return next;
}

function act(vehicle: Vehicle, action: string, values: Readonly<Record<string, SignalValue>>): Vehicle {
  const acted = actOnVehicle(vehicle, { id: 'p1', action, values });
  if (acted.kind === 'refused') throw new Error(acted.detail);
  return acted.state;
}

const isOf = (value: SignalValue | undefined, signal: SignalSpec): boolean => {
  if (signal.type === 'number') return typeof value === 'number' && value >= signal.min && value <= signal.max;
  if (signal.type === 'enum') return signal.values.includes(String(value));
  return typeof value === signal.type;
};

const anyOf = (argument: ActionArgument): fc.Arbitrary<SignalValue> => {
  switch (argument.type) {
    case 'enum':
      return fc.constantFrom(...argument.values);
    case 'integer':
      return fc.integer({ min: argument.min, max: argument.max });
    case 'number':
      return fc.double({ min: argument.min, max: argument.max, noNaN: true });
    case 'string':
      return fc.string({ minLength: 1, maxLength: 40 });
    case 'boolean':
      return fc.boolean();
  }
};

const anyCall = fc.constantFrom(...catalogue.actions).chain((action) =>
  fc.record({
    action: fc.constant(action.name),
    values: fc.record(Object.fromEntries(action.arguments.map((one) => [one.name, anyOf(one)]))),
  }),
);

describe('the simulated vehicle', () => {
  it('reports every signal of its catalogue within its range, whatever is done to it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyCall, fc.integer({ min: 0, max: 10 })), { maxLength: 12 }),
        fc.constantFrom('parked', 'city', '130'),
        (calls, profile) => {
          let vehicle = createVehicle(parseProfile(profile));
          for (const [{ action, values }, seconds] of calls) {
            const acted = actOnVehicle(vehicle, { id: 'p', action, values });
            vehicle = drive(acted.kind === 'begun' ? acted.state : vehicle, seconds);
          }
          const signals = vehicleSignals(vehicle);
          expect(Object.keys(signals).sort()).toEqual(catalogue.signals.map(({ name }) => name).sort());
          expect(catalogue.signals.filter((signal) => !isOf(signals[signal.name], signal))).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('can do everything of its catalogue that is not class C, and nothing else', () => {
    for (const action of catalogue.actions) {
      const values = Object.fromEntries(
        action.arguments.map((one) => [one.name, one.type === 'enum' ? (one.values[0] ?? '') : 'min' in one ? one.min : 'Anna']),
      );
      const playing = act(createVehicle(parseProfile('parked')), 'play_media', { query: 'Blue Rain' });
      expect(actOnVehicle(playing, { id: 'p', action: action.name, values }).kind).toBe(action.class === 'C' ? 'refused' : 'begun');
    }
  });

  it('drives the profile with what its brakes and its motor can do', () => {
    const profile = parseProfile('city');
    let vehicle = createVehicle(profile);
    for (let step = 0; step < 195 * 20; step += 1) {
      const next = stepVehicle(vehicle, 0.05);
      expect(Math.abs(next.speedKmh - vehicle.speedKmh)).toBeLessThanOrEqual(14 * 0.05 + 1e-9);
      expect(Math.abs(next.speedKmh - (targetKmhAt(profile, next.atS) ?? 0))).toBeLessThan(15);
      vehicle = next;
    }
    expect(drive(createVehicle(parseProfile('80')), 20).speedKmh).toBe(80);
  });

  it('stands in P when it is parked and in D at a red light', () => {
    expect(vehicleSignals(drive(createVehicle(parseProfile('parked')), 1))).toMatchObject({ speedKmh: 0, gear: 'P' });
    expect(vehicleSignals(drive(createVehicle(parseProfile('city')), 45))).toMatchObject({ speedKmh: 0, gear: 'D' });
  });

  it('opens no door while it drives, whoever asks, and does not drive off with one open', () => {
    const driving = drive(createVehicle(parseProfile('80')), 20);
    for (const [action, values] of [
      ['open_door', { door: 'driver' }],
      ['open_trunk', {}],
      ['unlock_doors', {}],
    ] as const)
      expect(actOnVehicle(driving, { id: 'p', action, values })).toMatchObject({ kind: 'refused' });
    const open = drive(act(createVehicle(parseProfile('80')), 'open_door', { door: 'driver' }), 19);
    expect(vehicleSignals(open)).toMatchObject({ 'door.driver': 'open', speedKmh: 0, isLocked: false });
    expect(vehicleSignals(drive(open, 3))).toMatchObject({ 'door.driver': 'closed' });
    expect(drive(open, 3).speedKmh).toBeGreaterThan(0);
  });

  it('takes four seconds for a window, and moves all of them on request', () => {
    const opening = act(createVehicle(parseProfile('parked')), 'set_window', { window: 'all', percent: 100 });
    expect(vehicleSignals(drive(opening, 2))).toMatchObject({ 'windowPercent.driver': 50, 'windowPercent.sunroof': 50 });
    expect(vehicleSignals(drive(opening, 4.1))).toMatchObject({ 'windowPercent.rear_left': 100 });
  });

  it('warms the cabin over minutes and not at once', () => {
    const warm = act(createVehicle(parseProfile('parked')), 'set_temperature', { zone: 'all', celsius: 24 });
    expect(vehicleSignals(warm)).toMatchObject({ 'wishedC.rear': 24, insideC: 14 });
    const after = [60, 300, 900].map((seconds) => drive(warm, seconds).insideC);
    expect(after).toEqual([...after].sort((a, b) => a - b));
    expect(after[0]).toBeLessThan(20);
    expect(after[2]).toBeGreaterThan(18);
  });

  it('guides to a place that comes nearer and is reached', () => {
    const guided = act(createVehicle(parseProfile('80')), 'navigate_to', { place: 'Marsdown Lane' });
    const [now, later] = [drive(guided, 1), drive(guided, 60)].map((one) => Number(vehicleSignals(one).guidanceKm));
    expect(later).toBeLessThan(now ?? 0);
    expect(vehicleSignals(drive(guided, 2400))).toMatchObject({ guidance: 'off', guidancePlace: '' });
  });

  it('gives the same from the same', () => {
    const run = () => vehicleSignals(drive(act(createVehicle(parseProfile('city')), 'set_fan', { level: 7 }), 100));
    expect(run()).toEqual(run());
  });

  it.each(['fast', '201', '-5', '1e3', ''])('does not drive by %s', (text) => {
    expect(() => parseProfile(text)).toThrow('allowed is parked, city, or a speed');
  });
});
