/** A number as people write it: `digits` times 10 to the power of minus `places`. */
interface Decimal {
  readonly digits: bigint;
  readonly places: number;
}

/**
 * The shortest decimal that reads back as this double, which is what the user wrote if that had at most 15 significant digits: 0.1 is one tenth here, not the
 * double next to it.
 */
function decimalOf(value: number): Decimal {
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const places = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return places >= 0 ? { digits, places } : { digits: digits * 10n ** BigInt(-places), places: 0 };
}

/** How many decimal places all of them need. Values are finite. */
export const placesOf = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, decimalOf(value).places), 0);

/** `value * 10^places`, exact; undefined when it is not a whole number of ticks within `ticksMax`. */
export function toTicks(value: number, places: number, ticksMax: number): number | undefined {
  const decimal = decimalOf(value);
  if (decimal.places > places || places > PLACES_MAX) return undefined;
  const ticks = decimal.digits * 10n ** BigInt(places - decimal.places);
  return ticks <= BigInt(ticksMax) && ticks >= -BigInt(ticksMax) ? Number(ticks) : undefined;
}

/** `value * 10^places` to the nearest whole number, halves up; undefined beyond `ticksMax`. Values are not negative. */
export function toNearestTicks(value: number, places: number, ticksMax: number): number | undefined {
  const { digits, places: own } = decimalOf(value);
  if (own > PLACES_MAX || places > PLACES_MAX) return undefined;
  const unit = 10n ** BigInt(Math.max(0, own - places));
  const ticks = own <= places ? digits * 10n ** BigInt(places - own) : (2n * digits + unit) / (2n * unit);
  return ticks <= BigInt(ticksMax) ? Number(ticks) : undefined;
}

/** The smallest double has 324 places; nobody's table does. */
const PLACES_MAX = 400;

/** Back to the user's unit; the nearest double, which prints as the decimal it stands for. */
export const fromTicks = (ticks: number, places: number): number => {
  if (places <= 22) return ticks / 10 ** places;
  return Number(`${ticks}e-${places}`);
};

/** As a ratio of whole numbers, exact. */
export function ratioOf(value: number): { readonly num: bigint; readonly den: bigint } {
  const { digits, places } = decimalOf(value);
  return { num: digits, den: 10n ** BigInt(places) };
}
