import type { IncomingMessage } from 'node:http';

export type RequestBody =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  /** `isRest`: more of it would come. */
  | { readonly kind: 'too-large'; readonly isRest: boolean }
  | { readonly kind: 'no-room' }
  /** The client went away. */
  | { readonly kind: 'gone' };

/** What bodies under way may take together, so that many slow clients cannot fill the memory. */
export interface BodyBudget {
  bytesLeft: number;
}

/** Of a request that is too long so much is read and thrown away, as a multiple of what is allowed: a client that still sends would not read the answer. */
const DISCARD_FACTOR = 8;

/** Reads a body up to a bound. Answers once, through `onEnd`. */
export function readRequestBody(request: IncomingMessage, bytesMax: number, budget: BodyBudget, onEnd: (body: RequestBody) => void): void {
  const chunks: Buffer[] = [];
  let kept = 0;
  let seen = 0;
  let isOver = false;
  const end = (body: RequestBody): void => {
    if (isOver) return;
    isOver = true;
    budget.bytesLeft += kept;
    onEnd(body);
  };
  if (Number(request.headers['content-length'] ?? 0) > bytesMax * DISCARD_FACTOR) return end({ kind: 'too-large', isRest: true });
  request.on('data', (chunk: Buffer) => {
    if (isOver) return;
    seen += chunk.length;
    if (seen > bytesMax) {
      chunks.length = 0;
      budget.bytesLeft += kept;
      kept = 0;
      if (seen > bytesMax * DISCARD_FACTOR) end({ kind: 'too-large', isRest: true });
      return;
    }
    if (chunk.length > budget.bytesLeft) return end({ kind: 'no-room' });
    budget.bytesLeft -= chunk.length;
    kept += chunk.length;
    chunks.push(chunk);
  });
  request.once('end', () =>
    end(seen > bytesMax ? { kind: 'too-large', isRest: false } : { kind: 'bytes', bytes: Buffer.concat(chunks, kept) }),
  );
  request.once('close', () => end({ kind: 'gone' }));
  request.once('error', () => end({ kind: 'gone' }));
}
