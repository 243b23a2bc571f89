import type { CodecFactory } from './codec.ts';
import { blazeface } from './perception/blazeface.ts';
import { mlsd } from './perception/mlsd.ts';
import { nanodet } from './perception/nanodet.ts';
import { ppocrDet } from './perception/ppocr-det.ts';
import { ppocrRec } from './perception/ppocr-rec.ts';
import { sileroVad } from './voice/silero-vad.ts';

/** What the manifest's `codec` may name. A new model is one new file and one line here. */
export const codecs: Readonly<Record<string, CodecFactory>> = {
  blazeface,
  mlsd,
  nanodet,
  'ppocr-det': ppocrDet,
  'ppocr-rec': ppocrRec,
  'silero-vad': sileroVad,
};
