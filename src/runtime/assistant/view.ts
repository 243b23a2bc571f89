import type { Clock } from '../../core/clock.ts';
import type { Provenance } from '../../core/proposal.ts';
import type { Box, ResultItem, TextItem } from '../../core/result.ts';
import type { StreamId } from '../../core/stream.ts';
import { elapsedUs, type InstantUs, msFromDuration } from '../../core/units.ts';
import { type Bearing, PICTURE_FRESH_MS, type SeenThings } from '../../models/language/situation.ts';
import type { FrameResult } from '../../pipeline/pipeline.ts';
import { estimateDistanceM, type PictureSize } from './distance.ts';

interface ViewCamera {
  readonly stream: StreamId;
  /** Where its camera looks. Of one that looks ahead the thirds of the picture are left, ahead and right. */
  readonly bearing: Bearing;
  /** How wide its picture is, in degrees. With it distances are estimated; left out, none are told. */
  readonly fieldOfViewDeg?: number;
}

export interface ViewOptions {
  /** Pipelines that find things. */
  readonly cameras: readonly ViewCamera[];
  /**
   * Pipelines that read text, which then stands in the prompt. Whoever can hold up a sheet of paper can write it: while it is there, nothing that is asked for is done.
   */
  readonly texts: readonly ViewCamera[];
}

/** What is seen now, and whose words are in it. */
export interface Seen {
  readonly things: readonly SeenThings[];
  /** Of text that strangers wrote; empty when there is none. */
  readonly provenances: readonly Provenance[];
}

/** The newest results of some image pipelines. */
export interface View {
  /** Takes a result of any pipeline; those of others, and older ones than the last, are left alone. */
  take(found: Pick<FrameResult, 'result' | 'frame'>): void;
  /** Undefined when there is no picture that says anything. */
  seen(): Seen | undefined;
}

/** Kinds of things that are kept of one picture: more than the prompt lists. */
const KINDS_MAX = 24;
/** Texts that are kept of one picture. */
const TEXTS_MAX = 4;

interface Picture {
  readonly capturedAt: InstantUs;
  readonly things: readonly Omit<SeenThings, 'ageMs'>[];
}

/** Makes a view that holds one picture of each camera, whatever comes. */
export function createView({ cameras, texts }: ViewOptions, { clock }: { readonly clock: Clock }): View {
  const looking = new Map(cameras.map((camera) => [camera.stream, camera]));
  const reading = new Map(texts.map(({ stream, bearing }) => [stream, bearing]));
  const pictures = new Map<StreamId, Picture>();
  const pages = new Map<StreamId, Picture>();
  return {
    take({ result, frame }) {
      const { pipeline, capturedAt, items } = result;
      const picture = frame.payload.kind === 'image' ? frame.payload : undefined;
      const camera = looking.get(pipeline);
      const last = pictures.get(pipeline);
      if (camera !== undefined && (last === undefined || last.capturedAt <= capturedAt))
        pictures.set(pipeline, { capturedAt, things: thingsIn(items, picture, camera) });
      const reader = reading.get(pipeline);
      const page = pages.get(pipeline);
      if (reader === undefined || (page !== undefined && page.capturedAt > capturedAt)) return;
      // Texts of one picture come one result each; those of the same picture belong together.
      const others = page?.capturedAt === capturedAt ? page.things : [];
      pages.set(pipeline, { capturedAt, things: [...others, ...textsIn(items, picture?.width, reader)].slice(0, TEXTS_MAX) });
    },
    seen() {
      const now = clock.now();
      const seenIn = ({ capturedAt, things }: Picture) => {
        const ageMs = msFromDuration(elapsedUs(capturedAt, now));
        return { isFresh: ageMs <= PICTURE_FRESH_MS, things: things.map((thing): SeenThings => ({ ...thing, ageMs })) };
      };
      const all = [...pictures.values()].map(seenIn);
      const fresh = all.filter(({ isFresh }) => isFresh);
      const lines = [...pages.values()].map(seenIn).flatMap(({ isFresh, things }) => (isFresh ? things : []));
      const things = (fresh.length > 0 ? fresh : all).flatMap((picture) => picture.things);
      // An old picture of nothing does not say that nothing is there.
      if (fresh.length === 0 && things.length === 0 && lines.length === 0) return undefined;
      return { things: [...merged(things), ...lines], provenances: lines.length > 0 ? ['camera-text'] : [] };
    },
  };
}

const textsIn = (items: readonly ResultItem[], width: number | undefined, camera: Bearing): Picture['things'] =>
  items.flatMap((item) =>
    item.kind === 'text' ? [{ label: quoted(item.text), count: 1, bearing: bearingOf(boxOf(item), width, camera) }] : [],
  );

/** Counts by label and side; the largest first, since what fills the picture is mostly what is near. */
function thingsIn(items: readonly ResultItem[], picture: PictureSize | undefined, camera: ViewCamera): Picture['things'] {
  const kinds = new Map<string, { label: string; count: number; bearing: Bearing; area: number; distanceM: number }>();
  for (const item of items) {
    if (item.kind !== 'object' && item.kind !== 'face') continue;
    const bearing = bearingOf(item.box, picture?.width, camera.bearing);
    const key = `${bearing} ${item.label}`;
    const kind = kinds.get(key) ?? { label: item.label, count: 0, bearing, area: 0, distanceM: Number.POSITIVE_INFINITY };
    const { fieldOfViewDeg } = camera;
    const distanceM =
      picture === undefined || fieldOfViewDeg === undefined ? undefined : estimateDistanceM(item.label, item.box, picture, fieldOfViewDeg);
    kinds.set(key, {
      ...kind,
      count: kind.count + 1,
      area: Math.max(kind.area, item.box.width * item.box.height),
      distanceM: Math.min(kind.distanceM, distanceM ?? Number.POSITIVE_INFINITY),
    });
  }
  const largest = [...kinds.values()].sort((one, other) => other.area - one.area);
  return largest.slice(0, KINDS_MAX).map(({ label, count, bearing, distanceM }) => ({
    ...{ label, count, bearing },
    ...(Number.isFinite(distanceM) ? { distanceM } : {}),
  }));
}

/** Two pipelines that look at one camera see the same things: the higher count is the better one. */
function merged(things: readonly SeenThings[]): readonly SeenThings[] {
  const kinds = new Map<string, SeenThings>();
  for (const thing of things) {
    const key = `${thing.bearing} ${thing.label}`;
    if ((kinds.get(key)?.count ?? 0) < thing.count) kinds.set(key, thing);
  }
  return [...kinds.values()];
}

function bearingOf({ x, width }: Box, pictureWidth: number | undefined, camera: Bearing): Bearing {
  if (camera !== 'ahead' || pictureWidth === undefined) return camera;
  const middle = (x + width / 2) / pictureWidth;
  return middle < 1 / 3 ? 'left' : middle > 2 / 3 ? 'right' : 'ahead';
}

function boxOf({ quad }: TextItem): Box {
  const [xs, ys] = [quad.map(({ x }) => x), quad.map(({ y }) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}

/** Told apart from what was recognised, whatever it says of itself. */
const quoted = (text: string): string => `sign "${text.replaceAll('"', "'")}"`;
