import type { MachineState } from '../../core/machine-state.ts';
import { type DurationUs, elapsedUs, type InstantUs } from '../../core/units.ts';
import type { RobotState, VehicleState } from '../../models/language/situation.ts';

export interface SituationOptions {
  readonly machine: 'vehicle' | 'robot';
  /** A reading that is older says nothing. */
  readonly stateAgeMaxUs: DurationUs;
  /**
   * Signals of type `string` whose text may stand in the prompt. Whoever names a song can write there, so name only those whose words are the driver's own or the
   * machine's.
   */
  readonly texts: readonly string[];
}

/**
 * What the machine reports, as the prompt of an assistant says it: by the names of signals in configs/actions/cockpit.yaml and robot.yaml. What is unknown, too old or of another
 * type than the prompt has is left out.
 */
export function machineSituation(state: MachineState, now: InstantUs, options: SituationOptions): VehicleState | RobotState {
  const read = (signal: string): unknown => {
    const reading = state.read(signal);
    if (reading === undefined) return undefined;
    const ageUs = elapsedUs(reading.at, now);
    // A reading from the future is no better than an old one.
    return ageUs >= 0 && ageUs <= options.stateAgeMaxUs ? reading.value : undefined;
  };
  const readings: Readings = {
    number: (signal) => {
      const value = read(signal);
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
    },
    is: (signal, value) => {
      const found = read(signal);
      return found === undefined ? undefined : found === value;
    },
    text: (signal) => {
      const value = options.texts.includes(signal) ? read(signal) : undefined;
      return typeof value === 'string' && value.trim() !== '' ? value : undefined;
    },
    value: read,
  };
  return options.machine === 'vehicle' ? vehicleOf(readings) : robotOf(readings);
}

interface Readings {
  number(signal: string): number | undefined;
  /** Whether the signal has this value; undefined when it is not known. */
  is(signal: string, value: string | boolean): boolean | undefined;
  /** Of a signal whose text may be shown. */
  text(signal: string): string | undefined;
  value(signal: string): unknown;
}

const GEARS = ['P', 'R', 'N', 'D'] as const;
const WINDOWS = ['driver', 'passenger', 'rear_left', 'rear_right', 'sunroof'];

/** A window that is a hair's breadth open is closed to everybody but its sensor. */
const WINDOW_CLOSED_PERCENT = 2;

function vehicleOf({ number, is, text, value }: Readings): VehicleState {
  const gear = GEARS.find((known) => known === value('gear'));
  const openings = WINDOWS.map((window) => number(`windowPercent.${window}`));
  const guidance = guidanceOf({ number, is, text, value });
  const playing = is('media', 'playing') === true ? text('mediaTitle') : undefined;
  return {
    kind: 'vehicle',
    ...whole('speedKmh', number('speedKmh')),
    ...(gear === undefined ? {} : { gear }),
    ...whole('insideC', number('insideC')),
    ...whole('outsideC', number('outsideC')),
    ...rounded('wishedC', number('wishedC.driver'), 0.5),
    ...whole('batteryPercent', number('batteryPercent')),
    ...whole('rangeKm', number('rangeKm')),
    ...given('isLocked', is('isLocked', true)),
    ...given('windows', windowsOf(openings)),
    ...whole('volumePercent', number('volumePercent')),
    ...given('guidance', guidance),
    ...given('playing', playing),
  };
}

/** One that is open is enough to say so; that all are closed takes all of them. */
function windowsOf(openings: readonly (number | undefined)[]): 'closed' | 'open' | undefined {
  if (openings.some((percent) => percent !== undefined && percent > WINDOW_CLOSED_PERCENT)) return 'open';
  return openings.includes(undefined) ? undefined : 'closed';
}

function guidanceOf({ number, is, text }: Readings): VehicleState['guidance'] {
  const place = text('guidancePlace');
  const [distanceKm, minutes] = [number('guidanceKm'), number('guidanceMinutes')];
  if (is('guidance', 'on') !== true || place === undefined || distanceKm === undefined || minutes === undefined) return undefined;
  return { place, distanceKm: nearest(distanceKm, 1), minutes: nearest(minutes, 1) };
}

/** Slower than this a wheel sensor cannot tell from standing. */
const STANDING_MPS = 0.05;

function robotOf({ number, is }: Readings): RobotState {
  const speed = number('speedMps');
  return {
    kind: 'robot',
    ...rounded('speedMps', speed === undefined ? undefined : Math.abs(speed) < STANDING_MPS ? 0 : Math.abs(speed), 0.1),
    ...whole('batteryPercent', number('batteryPercent')),
    ...given('isDocked', is('motion', 'docked')),
    ...given('isEmergencyStopped', is('emergencyStop', true)),
  };
}

const given = <K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: V });

/** To a multiple of a step; never minus zero, and without the dust of binary fractions. */
const nearest = (value: number, step: number): number => Number((Math.round(value / step) * step).toFixed(3)) + 0;

const rounded = <K extends string>(key: K, value: number | undefined, step: number) =>
  given(key, value === undefined ? undefined : nearest(value, step));

const whole = <K extends string>(key: K, value: number | undefined) => rounded(key, value, 1);
