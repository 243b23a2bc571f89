import { CoxswainError } from '../core/errors.ts';
import { resample } from './resample.ts';

/** All audio inside is mono at this rate, the one that Silero VAD and Whisper were trained at. */
export const AUDIO_RATE_HZ = 16_000;

export interface WavLimits {
  readonly secondsMax: number;
}

/** Below, there is no speech; above, no converter. They bound the kernel of the resampler. */
const RATE_MIN_HZ = 2000;
const RATE_MAX_HZ = 384_000;
const CHANNELS_MAX = 8;
/** 23 minutes at 48 kHz. It bounds the samples held before resampling to 256 MB, whatever the header says of rate and depth. */
const FRAMES_MAX = 2 ** 26;

const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_EXTENSIBLE = 0xfffe;
/** The last 14 bytes of KSDATAFORMAT_SUBTYPE_PCM and _IEEE_FLOAT; the two before are the format tag. */
const SUBFORMAT_TAIL = [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71];

interface WavFormat {
  readonly encoding: 'integer' | 'float';
  readonly channels: number;
  readonly rateHz: number;
  readonly sampleBytes: number;
}

/**
 * The samples of a WAV file, mixed down to mono by the mean of its channels and resampled to 16 kHz, within -1..1. PCM of 8, 16, 24 or 32 bits and float of 32 or 64,
 * up to 8 channels, also as WAVE_FORMAT_EXTENSIBLE. Declared lengths are only believed as far as there are bytes, so a recording that was cut off plays to
 * where it ends. A sample that is not finite becomes NaN, for the edge to refuse. Throws WAV_INVALID.
 */
export function decodeWav(bytes: Uint8Array, limits: WavLimits): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { format, data } = readChunks(view);
  const frameCount = Math.floor(data.byteLength / (format.sampleBytes * format.channels));
  if (frameCount === 0) throw invalid('it has no samples');
  if (frameCount > limits.secondsMax * format.rateHz) {
    throw invalid(`it lasts ${(frameCount / format.rateHz).toFixed(1)} s, at most ${limits.secondsMax} s are allowed`);
  }
  if (frameCount > FRAMES_MAX) throw invalid(`it has ${frameCount} samples, at most ${FRAMES_MAX} are allowed`);
  const samples = resample(mixDown(data, format, frameCount), format.rateHz, AUDIO_RATE_HZ);
  for (let index = 0; index < samples.length; index += 1) samples[index] = Math.max(-1, Math.min(1, samples[index] as number));
  return samples;
}

function readChunks(view: DataView): { readonly format: WavFormat; readonly data: DataView } {
  if (view.byteLength < 12 || fourCharacters(view, 0) !== 'RIFF' || fourCharacters(view, 8) !== 'WAVE') {
    throw invalid('it does not begin with RIFF ... WAVE');
  }
  let format: WavFormat | undefined;
  // A chunk is an id, a length, so many bytes, and one more if that is odd. Each step takes at least 8 bytes, so this ends.
  for (let offset = 12; offset + 8 <= view.byteLength; ) {
    const id = fourCharacters(view, offset);
    const declaredBytes = view.getUint32(offset + 4, true);
    const start = offset + 8;
    const sizeBytes = Math.min(declaredBytes, view.byteLength - start);
    if (id === 'fmt ') format = readFormat(new DataView(view.buffer, view.byteOffset + start, sizeBytes));
    if (id === 'data') {
      if (format === undefined) throw invalid('its data comes before its format');
      // A recorder that was killed leaves both lengths at 0: all that follows is data.
      const isUnfinished = declaredBytes === 0 && view.getUint32(4, true) === 0;
      return { format, data: new DataView(view.buffer, view.byteOffset + start, isUnfinished ? view.byteLength - start : sizeBytes) };
    }
    offset = start + sizeBytes + (sizeBytes % 2);
  }
  throw invalid(format === undefined ? 'it has no fmt chunk' : 'it has no data chunk');
}

function readFormat(chunk: DataView): WavFormat {
  if (chunk.byteLength < 16) throw invalid(`its fmt chunk has ${chunk.byteLength} bytes, at least 16 are needed`);
  const tag = readTag(chunk);
  const channels = chunk.getUint16(2, true);
  const rateHz = chunk.getUint32(4, true);
  const frameBytes = chunk.getUint16(12, true);
  if (channels < 1 || channels > CHANNELS_MAX) throw invalid(`it has ${channels} channels, 1 to ${CHANNELS_MAX} are allowed`);
  if (rateHz < RATE_MIN_HZ || rateHz > RATE_MAX_HZ) {
    throw invalid(`its rate is ${rateHz} Hz, ${RATE_MIN_HZ} to ${RATE_MAX_HZ} are allowed`);
  }
  const encoding = tag === FORMAT_FLOAT ? 'float' : 'integer';
  const sampleBytes = frameBytes / channels;
  const allowed = encoding === 'float' ? [4, 8] : [1, 2, 3, 4];
  const bits = chunk.getUint16(14, true);
  if (!allowed.includes(sampleBytes) || Math.ceil(bits / 8) !== sampleBytes) {
    throw invalid(`its ${encoding} samples have ${bits} bits in ${sampleBytes} bytes, ${allowed.join(', ')} whole bytes are allowed`);
  }
  return { encoding, channels, rateHz, sampleBytes };
}

function readTag(chunk: DataView): number {
  const tag = chunk.getUint16(0, true);
  if (tag === FORMAT_PCM || tag === FORMAT_FLOAT) return tag;
  if (tag === FORMAT_EXTENSIBLE && chunk.byteLength >= 40) {
    const subformat = chunk.getUint16(24, true);
    const hasTail = SUBFORMAT_TAIL.every((byte, index) => chunk.getUint8(26 + index) === byte);
    if (hasTail && (subformat === FORMAT_PCM || subformat === FORMAT_FLOAT)) return subformat;
  }
  throw invalid(`its format is ${tag}, only PCM (1), float (3) and their extensible forms are allowed`);
}

function mixDown(data: DataView, format: WavFormat, frameCount: number): Float32Array {
  const { channels, sampleBytes } = format;
  const read = sampleReader(data, format);
  const mono = new Float32Array(frameCount);
  for (let frame = 0; frame < frameCount; frame += 1) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel += 1) sum += read((frame * channels + channel) * sampleBytes);
    // An infinite sample would be clipped to a loud but lawful one, hiding the fault.
    mono[frame] = Number.isFinite(sum) ? sum / channels : Number.NaN;
  }
  return mono;
}

function sampleReader(data: DataView, { encoding, sampleBytes }: WavFormat): (offset: number) => number {
  if (encoding === 'float')
    return sampleBytes === 4 ? (offset) => data.getFloat32(offset, true) : (offset) => data.getFloat64(offset, true);
  switch (sampleBytes) {
    case 1:
      return (offset) => (data.getUint8(offset) - 128) / 2 ** 7;
    case 2:
      return (offset) => data.getInt16(offset, true) / 2 ** 15;
    case 3:
      return (offset) => (data.getUint8(offset) + 2 ** 8 * data.getInt16(offset + 1, true)) / 2 ** 23;
    default:
      return (offset) => data.getInt32(offset, true) / 2 ** 31;
  }
}

const fourCharacters = (view: DataView, offset: number): string =>
  String.fromCharCode(view.getUint8(offset), view.getUint8(offset + 1), view.getUint8(offset + 2), view.getUint8(offset + 3));

const invalid = (what: string): CoxswainError => new CoxswainError('WAV_INVALID', `not a WAV file that can be played: ${what}`);
