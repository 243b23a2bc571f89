import { ALL } from '../../src/core/signal-pattern.ts';
import type { Acted, Call } from '../machine-sim/machine-model.ts';
import { SEATS, type Vehicle, WINDOWS, ZONES } from './vehicle.ts';

/** A door stays open for so long until somebody closes it. */
const OPEN_S = 20;

/** Doors have a latch of their own that holds above this, whoever asks. */
const LATCH_KMH = 3;

const SONGS: readonly string[] = ['Blue Rain', 'Harbour Lights', 'Second Morning', 'Paper Planets'];

/** Whom the simulated address book knows. */
const CONTACT = /^\p{L}[\p{L} .'-]{0,59}$/u;

/** What becomes of the vehicle, or why it will not. Actions that no signal shows are achieved with this. */
export function actOnVehicle(vehicle: Vehicle, call: Call): Acted<Vehicle> {
  const change = CHANGES[call.action];
  if (change === undefined) return { kind: 'refused', detail: 'this vehicle cannot do that' };
  const changed = change(vehicle, call.values);
  if (typeof changed === 'string') return { kind: 'refused', detail: changed };
  return { kind: 'begun', state: { ...vehicle, ...changed, ended: [{ id: call.id, state: 'achieved', detail: 'simulated' }] } };
}

type Values = Call['values'];
type Change = (vehicle: Vehicle, values: Values) => Partial<Vehicle> | string;

/** The record with one name, or with `all` every name, set to a value. */
function withNamed<K extends string, V>(
  names: readonly K[],
  before: Readonly<Record<K, V>>,
  name: unknown,
  value: V,
): Readonly<Record<K, V>> {
  return Object.fromEntries(names.map((one) => [one, name === ALL || name === one ? value : before[one]])) as Record<K, V>;
}

const CHANGES: Readonly<Record<string, Change>> = {
  set_temperature: ({ wishedC }, { zone, celsius }) => ({
    // The climate control knows half degrees.
    wishedC: withNamed(ZONES, wishedC, zone, Math.round(Number(celsius) * 2) / 2),
  }),
  set_fan: (_, { level }) => ({ fanLevel: Number(level) }),
  set_climate_mode: (_, { mode }) => ({ climateMode: String(mode) }),
  set_seat_heating: ({ seatHeating }, { seat, level }) => ({ seatHeating: withNamed(SEATS, seatHeating, seat, Number(level)) }),
  set_window: ({ windowTarget }, { window, percent }) => ({ windowTarget: withNamed(WINDOWS, windowTarget, window, Number(percent)) }),
  open_door: ({ speedKmh, doorOpenS }, { door }) =>
    speedKmh > LATCH_KMH ? 'the latch holds while driving' : { doorOpenS: withNamed(SEATS, doorOpenS, door, OPEN_S), isLocked: false },
  open_trunk: ({ speedKmh }) => (speedKmh > LATCH_KMH ? 'the latch holds while driving' : { trunkOpenS: OPEN_S }),
  unlock_doors: ({ speedKmh }) => (speedKmh > LATCH_KMH ? 'the lock holds while driving' : { isLocked: false }),
  lock_doors: () => ({ isLocked: true }),
  set_cabin_light: (_, { percent }) => ({ cabinLightPercent: Number(percent) }),
  set_headlights: (_, { mode }) => ({ headlights: String(mode) }),
  set_wipers: (_, { mode }) => ({ wipers: String(mode) }),
  play_media: (_, { query }) => ({ media: 'playing', mediaTitle: String(query) }),
  control_media: controlMedia,
  set_volume: (_, { percent }) => ({ volumePercent: Number(percent) }),
  navigate_to: (_, { place }) => ({ guidance: { place: String(place), km: distanceTo(String(place)) } }),
  stop_navigation: () => ({ guidance: undefined }),
  find_nearby: () => ({}),
  call_contact: ({ call }, { name }) =>
    call !== 'none'
      ? 'there is a call already'
      : CONTACT.test(String(name))
        ? { call: 'dialling', callS: 0 }
        : 'nobody of that name is known',
  send_message: (_, { name }) => (CONTACT.test(String(name)) ? {} : 'nobody of that name is known'),
  end_call: () => ({ call: 'none', callS: 0 }),
};

function controlMedia({ media, mediaTitle }: Vehicle, { command }: Values): Partial<Vehicle> | string {
  if (command === 'pause') return media === 'playing' ? { media: 'paused' } : 'nothing plays';
  if (command === 'resume') return media === 'paused' ? { media: 'playing' } : 'nothing is paused';
  const way = command === 'next' ? 1 : SONGS.length - 1;
  const index = Math.max(0, SONGS.indexOf(mediaTitle));
  return { media: 'playing', mediaTitle: SONGS[(index + way) % SONGS.length] ?? mediaTitle };
}

/** Every place is somewhere between 2 and 41 km away, the same one always as far. */
function distanceTo(place: string): number {
  return 2 + ([...place].reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973, 7) % 40);
}
