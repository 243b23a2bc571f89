import { z } from 'zod';
import { assert } from '../../core/assert.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { ModelSpec } from '../../core/model.ts';
import type { ImageCodec, ImageCodecFactory, ImageTransform, Pixels } from '../codec.ts';
import { parseDecodeOptions } from '../decode-options.ts';
import { axis, contractError, describeTensors, onlyInput, outputOfShape } from '../model-contract.ts';
import { readCtc } from './ctc.ts';
import { createTensorWriter } from './image-tensor.ts';
import { planTextCrop, sampleTextCrop, wholeQuad } from './text-crop.ts';

const optionsSchema = z.strictObject({
  // PaddleOCR's drop_score.
  scoreMin: z.number().min(0).max(1).default(0.5).describe('Least mean probability of the characters read, 0..1.'),
  lengthMin: z.int().min(1).max(100).default(1).describe('Least number of characters of a text, surrounding space left out.'),
});

/**
 * PP-OCRv4 text recognition of one line. Input `[1, 3, H, W]` NCHW float32 BGR, -1..1, the text as high as the tensor, padded on the right with 0; a line
 * longer than the tensor is squeezed. Output `[1, W / 8, classes]`: probabilities, class 0 the blank, then the lines of the side file `dictionary`, then the space.
 */
export const ppocrRec: ImageCodecFactory = {
  kind: 'image',
  optionsSchema,
  create(model, files): ImageCodec {
    const input = onlyInput(model, [1, 3, -1, -1]);
    const height = axis(input, 2);
    const width = axis(input, 3);
    const characters = charactersOf(model, files);
    const classes = characters.length + 1;
    const output = outputOfShape(model, [1, -1, classes]);
    if (output < 0)
      throw contractError(
        model,
        `outputs ${describeTensors(model.outputs)}`,
        `an output [1,-1,${classes}] for the ${characters.length - 1} lines of its dictionary, blank and space`,
      );
    const write = createTensorWriter({ layout: 'nchw', channels: 'bgr', mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] });
    const rgb = new Uint8Array(3 * width * height);
    return {
      kind: 'image',
      async encode(pixels: Pixels, tensor: Float32Array): Promise<ImageTransform> {
        assert(
          pixels.data.length === pixels.width * pixels.height * 3,
          `${pixels.data.length} bytes are ${pixels.width} x ${pixels.height} RGB pixels`,
        );
        const crop = planTextCrop(pixels, width, height);
        sampleTextCrop(pixels, crop, height, rgb);
        write(rgb, { tensorWidth: width, tensorHeight: height, left: 0, top: 0, width: crop.columns, height }, tensor);
        padWithZero(tensor, width, crop.columns);
        const shape = { frameWidth: pixels.width, frameHeight: pixels.height };
        return { scaleX: 1, scaleY: 1, offsetX: 0, offsetY: 0, ...shape, crop: pixels.crop ?? wholeQuad(pixels) };
      },
      decode(outputs, transform, rawOptions) {
        const options = parseDecodeOptions('ppocr-rec', optionsSchema, rawOptions);
        const reading = readCtc(outputs[output] as Float32Array, classes, characters);
        const text = reading.text.trim();
        if (reading.score < options.scoreMin || [...text].length < options.lengthMin) return [];
        const quad = transform.crop ?? wholeQuad({ width: transform.frameWidth, height: transform.frameHeight });
        return [{ kind: 'text', label: 'text', score: Math.min(reading.score, 1), text, quad }];
      },
    };
  },
};

/** Lines in order, then the space that PaddleOCR appends (`use_space_char`). */
function charactersOf(model: ModelSpec, files: Readonly<Record<string, string>>): readonly string[] {
  const dictionary = files.dictionary;
  if (dictionary === undefined || dictionary === '') {
    const got = dictionary === undefined ? `files ${Object.keys(files).join(', ') || 'none'}` : 'an empty one';
    throw new CoxswainError(
      'FILE_UNREADABLE',
      `model ${model.id}: codec ppocr-rec needs the side file "dictionary", got ${got}; name it under "files" of its manifest entry.`,
    );
  }
  const lines = dictionary.split(/\r?\n/);
  // A line break at the very end ends the last character, it does not begin another.
  if (lines.at(-1) === '') lines.pop();
  return [...lines, ' '];
}

/** Zero after normalisation, mid-grey, is what the network was trained to ignore. */
function padWithZero(tensor: Float32Array, width: number, columns: number): void {
  if (columns === width) return;
  for (let start = 0; start < tensor.length; start += width) tensor.fill(0, start + columns, start + width);
}
