/** IEEE 754 binary16, given as its bits, to float32: nothing is rounded. `target` has at least as many elements. */
export function halvesInto(target: Float32Array, halves: Uint16Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let index = 0; index < halves.length; index += 1) {
    const half = halves[index] as number;
    const magnitude = half & 0x7fff;
    const sign = (half & 0x8000) << 16;
    if (magnitude >= 0x0400 && magnitude < 0x7c00) bits[index] = sign | ((magnitude << 13) + 0x3800_0000);
    else if (magnitude >= 0x7c00) bits[index] = sign | 0x7f80_0000 | ((magnitude & 0x03ff) << 13);
    // Below 2^-14 halves are evenly spaced, 2^-24 apart.
    else target[index] = (sign === 0 ? 1 : -1) * magnitude * 2 ** -24;
  }
}
