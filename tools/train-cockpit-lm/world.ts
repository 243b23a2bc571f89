import type { Prng } from '../../src/core/prng.ts';
import type { Bearing, RobotState, SeenThings, Situation, VehicleState } from '../../src/models/language/situation.ts';
import { PICTURE_FRESH_MS } from '../../src/models/language/situation.ts';
import { type Label, labels } from './labels.ts';
import { mediaTitle, pick, placeName, roomName } from './open-values.ts';

/** How much of its situation the assistant is told: everything, part of it, or nothing beyond who it is. */
type Fullness = number;

/** A situation as it may be: what it leaves out is as random as what it says. */
export function drawSituation(world: 'vehicle' | 'robot', prng: Prng, kinds: readonly Label[] = labels): Situation {
  const fullness: Fullness = pick(prng, [1, 0.85, 0.6, 0.3]);
  const hasCamera = prng.chance(0.6);
  const detections = hasCamera ? { detections: drawDetections(prng, kinds) } : {};
  const now = prng.chance(fullness) ? { now: { hour: prng.integer(0, 23), minute: prng.integer(0, 59) } } : {};
  return { state: world === 'vehicle' ? drawVehicle(prng, fullness) : drawRobot(prng, fullness), ...detections, ...now };
}

/** A field that is known by chance. */
const known = <K extends string, V>(prng: Prng, chance: number, key: K, draw: () => V): { readonly [key in K]?: V } =>
  prng.chance(chance) ? ({ [key]: draw() } as { readonly [key in K]: V }) : {};

function drawVehicle(prng: Prng, fullness: Fullness): VehicleState {
  const isMoving = prng.chance(0.6);
  return {
    kind: 'vehicle',
    ...known(prng, Math.max(fullness, 0.8), 'speedKmh', () => (isMoving ? prng.integer(1, 180) : 0)),
    ...known(prng, fullness, 'gear', () =>
      isMoving ? pick(prng, ['D', 'D', 'D', 'R'] as const) : pick(prng, ['P', 'P', 'D', 'N'] as const),
    ),
    ...known(prng, fullness, 'insideC', () => prng.integer(5, 35)),
    ...known(prng, fullness, 'outsideC', () => prng.integer(-15, 38)),
    ...known(prng, fullness, 'wishedC', () => prng.integer(32, 56) / 2),
    ...known(prng, fullness, 'batteryPercent', () => prng.integer(2, 100)),
    ...known(prng, fullness, 'rangeKm', () => prng.integer(5, 600)),
    ...known(prng, fullness, 'isLocked', () => prng.chance(0.5)),
    ...known(prng, fullness, 'windows', () => pick(prng, ['closed', 'closed', 'open'] as const)),
    ...known(prng, fullness, 'volumePercent', () => prng.integer(0, 20) * 5),
    ...known(prng, fullness * 0.4, 'guidance', () => ({
      place: placeName(prng, pick(prng, ['en', 'zh'])),
      distanceKm: prng.integer(1, 400),
      minutes: prng.integer(2, 300),
    })),
    ...known(prng, fullness * 0.4, 'playing', () => mediaTitle(prng, pick(prng, ['en', 'zh']))),
  };
}

function drawRobot(prng: Prng, fullness: Fullness): RobotState {
  return {
    kind: 'robot',
    ...known(prng, fullness, 'place', () => roomName(prng, pick(prng, ['en', 'zh']))),
    ...known(prng, fullness, 'speedMps', () => (prng.chance(0.5) ? 0 : prng.integer(1, 15) / 10)),
    ...known(prng, fullness, 'batteryPercent', () => prng.integer(2, 100)),
    ...known(prng, fullness, 'isDocked', () => prng.chance(0.3)),
    ...known(prng, Math.max(fullness, 0.7), 'isEmergencyStopped', () => prng.chance(0.25)),
  };
}

const BEARINGS: readonly Bearing[] = ['ahead', 'ahead', 'left', 'right', 'behind'];

/** Up to six kinds of things, each on one side, at most three a side, so that everything drawn is also listed. */
function drawDetections(prng: Prng, kinds: readonly Label[]): readonly SeenThings[] {
  const wanted = pick(prng, [0, 1, 1, 2, 2, 3, 3, 4, 5, 6]);
  const ageMs = prng.chance(0.06) ? PICTURE_FRESH_MS + prng.integer(1, 9000) : prng.integer(20, 1900);
  const seen: SeenThings[] = [];
  for (let index = 0; index < wanted; index += 1) {
    const { label } = pick(prng, kinds);
    const bearing = pick(prng, BEARINGS);
    const isListed = seen.some((other) => other.label === label) || seen.filter((other) => other.bearing === bearing).length === 3;
    if (isListed) continue;
    const distance = prng.chance(0.8) ? { distanceM: prng.chance(0.6) ? prng.integer(1, 60) : prng.integer(3, 99) / 10 } : {};
    seen.push({ label, count: prng.chance(0.55) ? 1 : prng.integer(2, 9), bearing, ageMs, ...distance });
  }
  return seen;
}
