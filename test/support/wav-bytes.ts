export interface WavShape {
  readonly rateHz?: number;
  readonly channels?: number;
  readonly encoding?: 'pcm8' | 'pcm16' | 'pcm24' | 'pcm32' | 'float32' | 'float64';
  readonly isExtensible?: boolean;
  /** Bytes of whole chunks to put between `fmt ` and `data`. */
  readonly between?: Uint8Array;
  /** What the header claims, where it lies. */
  readonly claims?: { readonly riffBytes?: number; readonly dataBytes?: number; readonly channels?: number; readonly rateHz?: number };
}

const SAMPLE_BYTES = { pcm8: 1, pcm16: 2, pcm24: 3, pcm32: 4, float32: 4, float64: 8 } as const;

/** A WAV file of interleaved samples within -1..1. Written for the tests alone, so that reader and writer cannot share a mistake. */
export function wavBytes(samples: ArrayLike<number>, shape: WavShape = {}): Uint8Array {
  const { rateHz = 16_000, channels = 1, encoding = 'pcm16', isExtensible = false, between = new Uint8Array(0), claims = {} } = shape;
  const sampleBytes = SAMPLE_BYTES[encoding];
  const tag = encoding.startsWith('float') ? 3 : 1;
  const body = Buffer.alloc(samples.length * sampleBytes);
  for (let index = 0; index < samples.length; index += 1) writeSample(body, index * sampleBytes, Number(samples[index]), encoding);
  const format = Buffer.alloc(isExtensible ? 40 : 16);
  format.writeUInt16LE(isExtensible ? 0xfffe : tag, 0);
  format.writeUInt16LE(claims.channels ?? channels, 2);
  format.writeUInt32LE(claims.rateHz ?? rateHz, 4);
  format.writeUInt32LE(rateHz * channels * sampleBytes, 8);
  format.writeUInt16LE(channels * sampleBytes, 12);
  format.writeUInt16LE(sampleBytes * 8, 14);
  if (isExtensible) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(sampleBytes * 8, 18);
    Buffer.from(`${tag.toString(16).padStart(2, '0')}00000000001000800000aa00389b71`, 'hex').copy(format, 24);
  }
  const size = 4 + 8 + format.length + between.length + 8 + body.length;
  return Buffer.concat([
    Buffer.from('RIFF'),
    uint32(claims.riffBytes ?? size),
    Buffer.from('WAVEfmt '),
    uint32(format.length),
    format,
    between,
    Buffer.from('data'),
    uint32(claims.dataBytes ?? body.length),
    body,
  ]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function writeSample(body: Buffer, offset: number, value: number, encoding: NonNullable<WavShape['encoding']>): void {
  const whole = (bits: number): number => Math.max(-(2 ** (bits - 1)), Math.min(2 ** (bits - 1) - 1, Math.round(value * 2 ** (bits - 1))));
  if (encoding === 'float32') body.writeFloatLE(value, offset);
  else if (encoding === 'float64') body.writeDoubleLE(value, offset);
  else if (encoding === 'pcm8') body.writeUInt8(whole(8) + 128, offset);
  else body.writeIntLE(whole(SAMPLE_BYTES[encoding] * 8), offset, SAMPLE_BYTES[encoding]);
}
