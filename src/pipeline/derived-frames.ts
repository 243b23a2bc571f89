import { from, mergeMap, type Observable } from 'rxjs';
import type { Frame, Quad, SourceId } from '../core/frame.ts';
import type { ResultItem } from '../core/result.ts';
import type { FrameResult } from './pipeline.ts';

/**
 * One frame per item that another pipeline found, highest score first, at most `itemsMax` of each of its frames: the same pixels and capture instant, with
 * the item's outline as crop. Text recognition reads text boxes this way. The parent's region is claimed by the next pipeline's `accept`, which
 * runs within the emission.
 */
export function derivedFrames(
  parent: Observable<FrameResult>,
  options: { readonly id: SourceId; readonly itemsMax: number },
): Observable<Frame> {
  let sequence = 0;
  return parent.pipe(
    mergeMap(({ result, frame }) => {
      const { payload } = frame;
      if (payload.kind !== 'image') return from([]);
      const outlined = result.items.flatMap((item) => {
        const crop = outlineOf(item);
        return crop === undefined ? [] : [{ crop, score: item.score }];
      });
      outlined.sort((a, b) => b.score - a.score);
      const frames = outlined.slice(0, options.itemsMax).map(({ crop }): Frame => {
        sequence += 1;
        return { source: options.id, sequence, capturedAt: frame.capturedAt, payload: { ...payload, crop } };
      });
      return from(frames);
    }),
  );
}

function outlineOf(item: ResultItem): Quad | undefined {
  if (item.kind === 'text-box') return item.quad;
  if (item.kind !== 'object' && item.kind !== 'face') return undefined;
  const { x, y, width, height } = item.box;
  return [
    { x, y },
    { x: x + width, y },
    { x: x + width, y: y + height },
    { x, y: y + height },
  ];
}
