/** What speed is wanted when, by linear interpolation between the points; it begins anew after the last one. Standing, with P, when there are no points. */
export interface DriveProfile {
  readonly points: readonly { readonly atS: number; readonly kmh: number }[];
}

/** Stop and go of a town: three blocks, two red lights, a stretch of 70, back to standing. 195 s, 1.4 km; drawn by hand after urban cycles. */
const CITY: DriveProfile = {
  points: [
    { atS: 0, kmh: 0 },
    { atS: 5, kmh: 0 },
    { atS: 12, kmh: 30 },
    { atS: 28, kmh: 32 },
    { atS: 34, kmh: 0 },
    { atS: 52, kmh: 0 },
    { atS: 62, kmh: 50 },
    { atS: 90, kmh: 50 },
    { atS: 98, kmh: 0 },
    { atS: 115, kmh: 0 },
    { atS: 128, kmh: 70 },
    { atS: 160, kmh: 70 },
    { atS: 172, kmh: 0 },
    { atS: 195, kmh: 0 },
  ],
};

const CONSTANT_KMH_MAX = 200;

export const PROFILE_HELP = `parked, city, or a speed in km/h up to ${CONSTANT_KMH_MAX}`;

/** Errors: Error with what is allowed. */
export function parseProfile(text: string): DriveProfile {
  if (text === 'parked') return { points: [] };
  if (text === 'city') return CITY;
  const kmh = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || kmh > CONSTANT_KMH_MAX) throw new Error(`--drive ${text} is not known; allowed is ${PROFILE_HELP}`);
  return { points: [{ atS: 0, kmh }] };
}

/** Undefined when it is to stand parked. */
export function targetKmhAt({ points }: DriveProfile, atS: number): number | undefined {
  const last = points.at(-1);
  if (last === undefined) return undefined;
  const inRound = last.atS === 0 ? 0 : atS % last.atS;
  const next = points.findIndex((point) => point.atS > inRound);
  const to = points[next] ?? last;
  const from = points[next - 1] ?? last;
  if (to.atS === from.atS) return to.kmh;
  return from.kmh + ((to.kmh - from.kmh) * (inRound - from.atS)) / (to.atS - from.atS);
}
