import type { Ended } from '../machine-sim/machine-model.ts';
import { approach, rounded } from '../machine-sim/machine-model.ts';
import { type DriveProfile, targetKmhAt } from './drive-profile.ts';

export type Seat = 'driver' | 'passenger' | 'rear_left' | 'rear_right';
export type Zone = 'driver' | 'passenger' | 'rear';
export type WindowName = Seat | 'sunroof';

export const SEATS: readonly Seat[] = ['driver', 'passenger', 'rear_left', 'rear_right'];
export const ZONES: readonly Zone[] = ['driver', 'passenger', 'rear'];
export const WINDOWS: readonly WindowName[] = [...SEATS, 'sunroof'];

/** A car, simulated; nothing in it was measured on a real one. */
export interface Vehicle {
  readonly profile: DriveProfile;
  /** Since it was switched on. */
  readonly atS: number;
  readonly speedKmh: number;
  readonly gear: 'P' | 'R' | 'N' | 'D';
  readonly batteryKwh: number;
  readonly insideC: number;
  readonly outsideC: number;
  readonly wishedC: Readonly<Record<Zone, number>>;
  readonly fanLevel: number;
  readonly climateMode: string;
  readonly seatHeating: Readonly<Record<Seat, number>>;
  readonly windowPercent: Readonly<Record<WindowName, number>>;
  /** Where the motors drive them. */
  readonly windowTarget: Readonly<Record<WindowName, number>>;
  /** Somebody closes an open door when this long has passed; 0 is closed. */
  readonly doorOpenS: Readonly<Record<Seat, number>>;
  readonly trunkOpenS: number;
  readonly isLocked: boolean;
  readonly cabinLightPercent: number;
  readonly headlights: string;
  readonly wipers: string;
  readonly media: 'stopped' | 'playing' | 'paused';
  readonly mediaTitle: string;
  readonly volumePercent: number;
  readonly guidance: { readonly place: string; readonly km: number } | undefined;
  readonly call: 'none' | 'dialling' | 'active';
  /** In this state of the telephone. */
  readonly callS: number;
  readonly ended: readonly Ended[];
}

/** Of a middle-sized electric car: usable charge, and what a kilometre and an hour of climate control take. */
const BATTERY_KWH = 60;
const KWH_PER_KM = 0.18;
const CLIMATE_KW = 1.5;

/** Brisk without tyres squealing. */
const ACCELERATION_KMH_PER_S = 9;
const BRAKING_KMH_PER_S = 14;

/** End to end in four seconds. */
const WINDOW_PERCENT_PER_S = 25;

/** The cabin follows its surroundings within some 10 min and the climate control, at full fan, within
 * some minute; it regulates in proportion, and so stays a little off what is wished. */
const LEAK_PER_S = 1 / 600;
const CLIMATE_PER_S_AND_LEVEL = 1 / 60 / 7;

const DIALLING_S = 3;
const CALL_S = 40;

const each = <K extends string, V>(names: readonly K[], value: (name: K) => V): Readonly<Record<K, V>> =>
  Object.fromEntries(names.map((name) => [name, value(name)])) as Record<K, V>;

export function createVehicle(profile: DriveProfile): Vehicle {
  return {
    profile,
    atS: 0,
    speedKmh: 0,
    gear: 'P',
    batteryKwh: 42,
    insideC: 14,
    outsideC: 9,
    wishedC: each(ZONES, () => 21),
    fanLevel: 3,
    climateMode: 'auto',
    seatHeating: each(SEATS, () => 0),
    windowPercent: each(WINDOWS, () => 0),
    windowTarget: each(WINDOWS, () => 0),
    doorOpenS: each(SEATS, () => 0),
    trunkOpenS: 0,
    isLocked: true,
    cabinLightPercent: 0,
    headlights: 'auto',
    wipers: 'off',
    media: 'stopped',
    mediaTitle: '',
    volumePercent: 40,
    guidance: undefined,
    call: 'none',
    callS: 0,
    ended: [],
  };
}

export function stepVehicle(vehicle: Vehicle, spanS: number): Vehicle {
  const targetKmh = targetKmhAt(vehicle.profile, vehicle.atS);
  // With a door open it does not drive off, and it parks when the profile says that the way has ended.
  const isOpen = vehicle.trunkOpenS > 0 || SEATS.some((seat) => vehicle.doorOpenS[seat] > 0);
  const wantedKmh = isOpen && vehicle.speedKmh === 0 ? 0 : (targetKmh ?? 0);
  const byKmh = (wantedKmh > vehicle.speedKmh ? ACCELERATION_KMH_PER_S : BRAKING_KMH_PER_S) * spanS;
  const speedKmh = approach(vehicle.speedKmh, wantedKmh, byKmh);
  const km = (((vehicle.speedKmh + speedKmh) / 2) * spanS) / 3600;
  return {
    ...vehicle,
    atS: vehicle.atS + spanS,
    speedKmh,
    gear: speedKmh === 0 && (targetKmh === undefined || isOpen) ? 'P' : 'D',
    batteryKwh: Math.max(0, vehicle.batteryKwh - km * KWH_PER_KM - climateKw(vehicle) * (spanS / 3600)),
    insideC: nextInsideC(vehicle, spanS),
    windowPercent: each(WINDOWS, (name) => approach(vehicle.windowPercent[name], vehicle.windowTarget[name], WINDOW_PERCENT_PER_S * spanS)),
    doorOpenS: each(SEATS, (seat) => Math.max(0, vehicle.doorOpenS[seat] - spanS)),
    trunkOpenS: Math.max(0, vehicle.trunkOpenS - spanS),
    guidance: nextGuidance(vehicle.guidance, km),
    ...nextCall(vehicle, spanS),
    ended: [],
  };
}

const climateKw = ({ climateMode, fanLevel }: Vehicle): number => (climateMode === 'off' ? 0 : (CLIMATE_KW * fanLevel) / 7);

function nextInsideC(vehicle: Vehicle, spanS: number): number {
  const { insideC, outsideC, wishedC, fanLevel, climateMode, windowPercent } = vehicle;
  const wanted = (wishedC.driver + wishedC.passenger + wishedC.rear) / 3;
  const open = WINDOWS.reduce((sum, name) => sum + windowPercent[name], 0) / 100;
  const leak = (outsideC - insideC) * LEAK_PER_S * (1 + 4 * open);
  const canReach = (climateMode !== 'cool' || wanted < insideC) && (climateMode !== 'heat' || wanted > insideC);
  const drive = climateMode === 'off' || !canReach ? 0 : (wanted - insideC) * CLIMATE_PER_S_AND_LEVEL * fanLevel;
  return insideC + (leak + drive) * spanS;
}

function nextGuidance(guidance: Vehicle['guidance'], km: number): Vehicle['guidance'] {
  if (guidance === undefined || guidance.km - km <= 0) return undefined;
  return { ...guidance, km: guidance.km - km };
}

function nextCall({ call, callS }: Vehicle, spanS: number): Pick<Vehicle, 'call' | 'callS'> {
  if (call === 'dialling' && callS + spanS >= DIALLING_S) return { call: 'active', callS: 0 };
  if (call === 'active' && callS + spanS >= CALL_S) return { call: 'none', callS: 0 };
  return { call, callS: call === 'none' ? 0 : callS + spanS };
}

/** Under the names of configs/actions/cockpit.yaml. */
export function vehicleSignals(vehicle: Vehicle): Readonly<Record<string, string | number | boolean>> {
  const { guidance } = vehicle;
  const spread = <K extends string, V>(name: string, values: Readonly<Record<K, V>>, show: (value: V) => string | number) =>
    Object.fromEntries(Object.entries<V>(values).map(([key, value]) => [`${name}.${key}`, show(value)]));
  return {
    speedKmh: rounded(vehicle.speedKmh, 1),
    gear: vehicle.gear,
    batteryPercent: rounded((vehicle.batteryKwh / BATTERY_KWH) * 100, 1),
    rangeKm: Math.round(vehicle.batteryKwh / KWH_PER_KM),
    insideC: rounded(vehicle.insideC, 1),
    outsideC: rounded(vehicle.outsideC, 1),
    ...spread('wishedC', vehicle.wishedC, (value) => value),
    fanLevel: vehicle.fanLevel,
    climateMode: vehicle.climateMode,
    ...spread('seatHeating', vehicle.seatHeating, (value) => value),
    ...spread('windowPercent', vehicle.windowPercent, (value) => rounded(value, 0)),
    ...spread('door', vehicle.doorOpenS, (value) => (value > 0 ? 'open' : 'closed')),
    trunk: vehicle.trunkOpenS > 0 ? 'open' : 'closed',
    isLocked: vehicle.isLocked,
    cabinLightPercent: vehicle.cabinLightPercent,
    headlights: vehicle.headlights,
    wipers: vehicle.wipers,
    media: vehicle.media,
    mediaTitle: vehicle.mediaTitle,
    volumePercent: vehicle.volumePercent,
    guidance: guidance === undefined ? 'off' : 'on',
    guidancePlace: guidance?.place ?? '',
    guidanceKm: rounded(guidance?.km ?? 0, 1),
    // At the speed of a town on average.
    guidanceMinutes: Math.round(((guidance?.km ?? 0) / 40) * 60),
    call: vehicle.call,
  };
}
