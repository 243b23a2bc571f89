/**
 * IEEE 754 binary16 bits to a number. Every half is exactly a single, so nothing is rounded.
 * Layout: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits.
 */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Little-endian halves to singles. `bytes.length` must be even. */
export function halvesToFloats(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const floats = new Float32Array(bytes.byteLength / 2);
  for (let index = 0; index < floats.length; index++) floats[index] = halfToNumber(view.getUint16(2 * index, true));
  return floats;
}
