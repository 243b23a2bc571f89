import { describe, expect, it } from 'vitest';
import { drawLoss } from '../../../../tools/train-cockpit-lm/loss-picture.ts';

const HEADER = 'step,tokens,loss,heldout_loss,rate,tokens_per_second,active_seconds';
const points = (svg: string): readonly number[] =>
  [...svg.matchAll(/points="([^"]*)"/gu)].map(([, text = '']) => (text === '' ? 0 : text.split(' ').length));

describe('the picture of the loss', () => {
  it('draws a line of training and one of what was measured on the held-out split', () => {
    const svg = drawLoss(`${HEADER}\n50,1000000,2.0,,0,0,0\n100,2000000,1.0,1.2,0,0,0\n150,3000000,0.5,0.8,0,0,0\n`);
    expect(points(svg)).toEqual([3, 2]);
    expect(svg).toContain('million tokens seen');
  });

  it('takes the later of two lines for one step, as a resumed run writes them', () => {
    const svg = drawLoss(`${HEADER}\n50,1000000,2.0,,0,0,0\n100,2000000,1.0,,0,0,0\n100,2000000,0.9,,0,0,0\n`);
    expect(points(svg)).toEqual([2, 0]);
  });

  it('refuses a log with nothing to draw', () => {
    expect(() => drawLoss(`${HEADER}\n50,1000000,2.0,,0,0,0\n`)).toThrow(RangeError);
  });
});
