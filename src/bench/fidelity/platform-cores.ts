const NUMBERS: Readonly<Record<string, number>> = {
  single: 1,
  one: 1,
  dual: 2,
  two: 2,
  triple: 3,
  three: 3,
  quad: 4,
  four: 4,
  octa: 8,
  eight: 8,
};

/** Cores that the name of a platform tells, such as `RK3588_single_core`, `RK3588_3_cores`, `RK3588 core 0_1_2`; NaN where it tells a number that is none of cores, undefined where it tells none. */
export function platformCores(platform: string): number | undefined {
  const text = platform.toLowerCase();
  // A minus is one where another mark stands before it.
  const counted =
    /(?<![a-z\d.])((?<=(?:^|[^a-z0-9]))-)?(\d+(?:\.\d+)?|nan)[^a-z0-9.]*cores?(?![a-z])/.exec(text) ??
    /(?<![a-z])cores[^a-z0-9]+(-)?(\d+(?:\.\d+)?)/.exec(text);
  if (counted !== null) {
    const count = Number(counted[2]);
    return counted[1] === undefined && Number.isInteger(count) && count >= 1 ? count : Number.NaN;
  }
  const word = /(?<![a-z])([a-z]+)[^a-z0-9]*cores?(?![a-z])/.exec(text)?.[1];
  const named = word === undefined || !Object.hasOwn(NUMBERS, word) ? undefined : NUMBERS[word];
  if (named !== undefined) return named;
  // A mask, as the driver of Rockchip writes it.
  const mask = /(?<![a-z])core[^a-z0-9]*(\d+(?:_\d+)*)(?![a-z0-9])/.exec(text)?.[1];
  return mask === undefined ? undefined : new Set(mask.split('_')).size;
}
