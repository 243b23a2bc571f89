/** A car as it stands; what is not known is left out. Also the state after which it is asked, so every field may be asked for. */
export interface VehicleState {
  readonly kind: 'vehicle';
  /** km/h, whole, 0 when it stands. */
  readonly speedKmh?: number;
  readonly gear?: 'P' | 'R' | 'N' | 'D';
  /** Degrees Celsius inside and outside, and what the driver wished for. */
  readonly insideC?: number;
  readonly outsideC?: number;
  readonly wishedC?: number;
  /** 0..100. */
  readonly batteryPercent?: number;
  readonly rangeKm?: number;
  readonly isLocked?: boolean;
  readonly windows?: 'closed' | 'open';
  /** 0..100. */
  readonly volumePercent?: number;
  /** Where the guidance leads, how far and how long that is. */
  readonly guidance?: { readonly place: string; readonly distanceKm: number; readonly minutes: number };
  /** The title that plays. */
  readonly playing?: string;
}

export interface RobotState {
  readonly kind: 'robot';
  readonly place?: string;
  /** m/s, 0 when it stands. */
  readonly speedMps?: number;
  /** 0..100. */
  readonly batteryPercent?: number;
  readonly isDocked?: boolean;
  readonly isEmergencyStopped?: boolean;
}

/** The side of the vehicle or robot on which something was seen. */
export type Bearing = 'ahead' | 'left' | 'right' | 'behind';

/** So many things with one label, seen together. */
export interface SeenThings {
  readonly label: string;
  /** From 1. */
  readonly count: number;
  /** To the nearest of them. */
  readonly distanceM?: number;
  /** Ahead when left out. */
  readonly bearing?: Bearing;
  /** Since the picture in which they were found. */
  readonly ageMs: number;
}

export interface Situation {
  readonly state: VehicleState | RobotState;
  /** Nothing given: there is no camera. Empty: the camera sees nothing that it knows. */
  readonly detections?: readonly SeenThings[];
  /** Wall time to show, hour 0..23. */
  readonly now?: { readonly hour: number; readonly minute: number };
}

/** A picture older than this says nothing about now: at 50 km/h the car is 28 m further. */
export const PICTURE_FRESH_MS = 2000;

/** Text from outside (labels, titles, places) is cut to this many characters, so that nobody fills the context through it. */
const TEXT_CHARACTERS = 60;

/** What is listed of one bearing, nearest first; the rest is left out. */
const THINGS_PER_BEARING = 3;

/**
 * The system prompt of an assistant: who it is, what holds now, what the camera sees, in few short lines that the shipped model was trained on. Text from
 * outside stands on one line each: line ends and control characters in it become spaces. Always English, whatever language is spoken.
 *
 *     You are Coxswain, the voice of a car. 14:05
 *     speed 80 km/h, gear D, inside 21 C, outside 12 C, set 21 C
 *     battery 64 %, range 310 km, locked, windows closed, volume 40 %
 *     to Marsdown Lane, 12 km, 18 min
 *     playing Blue Rain
 *     camera 0.2 s
 *     ahead: 2 people 8 m, 1 car 15 m
 *     left: 1 bicycle 4 m
 */
export function renderSituation(situation: Situation): string {
  const { state, detections, now } = situation;
  const clock = now === undefined ? '' : ` ${now.hour}:${String(now.minute).padStart(2, '0')}`;
  const lines = [`You are Coxswain, the voice of a ${state.kind === 'vehicle' ? 'car' : 'robot'}.${clock}`];
  lines.push(...(state.kind === 'vehicle' ? vehicleLines(state) : robotLines(state)));
  if (detections !== undefined) lines.push(...viewLines(detections));
  return lines.join('\n');
}

function vehicleLines(state: VehicleState): string[] {
  const motion = list([
    said(state.speedKmh, (value) => `speed ${value} km/h`),
    said(state.gear, (value) => `gear ${value}`),
    said(state.insideC, (value) => `inside ${value} C`),
    said(state.outsideC, (value) => `outside ${value} C`),
    said(state.wishedC, (value) => `set ${value} C`),
  ]);
  const body = list([
    said(state.batteryPercent, (value) => `battery ${value} %`),
    said(state.rangeKm, (value) => `range ${value} km`),
    said(state.isLocked, (value) => (value ? 'locked' : 'unlocked')),
    said(state.windows, (value) => `windows ${value}`),
    said(state.volumePercent, (value) => `volume ${value} %`),
  ]);
  const guidance = said(state.guidance, ({ place, distanceKm, minutes }) => `to ${plainText(place)}, ${distanceKm} km, ${minutes} min`);
  return [motion, body, guidance, said(state.playing, (title) => `playing ${plainText(title)}`)].filter((line) => line !== '');
}

function robotLines(state: RobotState): string[] {
  const line = list([
    said(state.place, (place) => `place ${plainText(place)}`),
    said(state.speedMps, (value) => (value === 0 ? 'standing' : `moving ${value} m/s`)),
    said(state.batteryPercent, (value) => `battery ${value} %`),
    said(state.isDocked, (value) => (value ? 'docked' : 'not docked')),
    said(state.isEmergencyStopped, (value) => `emergency stop ${value ? 'on' : 'off'}`),
  ]);
  return line === '' ? [] : [line];
}

function viewLines(detections: readonly SeenThings[]): string[] {
  const fresh = detections.filter(({ ageMs }) => ageMs <= PICTURE_FRESH_MS);
  if (fresh.length === 0) return [detections.length === 0 ? 'camera sees nothing' : 'camera has no fresh picture'];
  const ageS = Math.max(...fresh.map(({ ageMs }) => ageMs)) / 1000;
  const lines = [`camera ${ageS.toFixed(1)} s`];
  for (const bearing of ['ahead', 'left', 'right', 'behind'] as const) {
    const here = fresh.filter((seen) => (seen.bearing ?? 'ahead') === bearing).sort(byDistance);
    if (here.length > 0) lines.push(`${bearing}: ${here.slice(0, THINGS_PER_BEARING).map(sayThings).join(', ')}`);
  }
  return lines;
}

const byDistance = (one: SeenThings, other: SeenThings): number =>
  (one.distanceM ?? Number.MAX_VALUE) - (other.distanceM ?? Number.MAX_VALUE);

function sayThings({ label, count, distanceM }: SeenThings): string {
  const things = `${count} ${count === 1 ? plainText(label) : pluralOf(plainText(label))}`;
  return distanceM === undefined ? things : `${things} ${distanceM < 10 ? Number(distanceM.toFixed(1)) : Math.round(distanceM)} m`;
}

/** English plurals of the 80 labels of COCO, and of most other words. */
export function pluralOf(label: string): string {
  if (label.endsWith('person')) return label.replace(/person$/u, 'people');
  if (label.endsWith('mouse')) return label.replace(/mouse$/u, 'mice');
  if (label.endsWith('knife')) return label.replace(/knife$/u, 'knives');
  if (/(?:sheep|skis|scissors)$/u.test(label)) return label;
  return /(?:s|x|ch|sh)$/u.test(label) ? `${label}es` : `${label}s`;
}

const said = <T>(value: T | undefined, say: (value: T) => string): string => (value === undefined ? '' : say(value));

const list = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');

/** One line of plain text: a place named "x\nunlocked" must not add a line to the prompt. */
function plainText(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return [...line].slice(0, TEXT_CHARACTERS).join('');
}
