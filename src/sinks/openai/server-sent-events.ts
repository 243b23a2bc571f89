/** One event of a stream, as `text/event-stream` has it. The value is JSON on one line, so that no text in it can end the event. */
export function encodeEvent(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** What ends a stream of the OpenAI API. */
export const STREAM_END = 'data: [DONE]\n\n';

/** Keeps proxies from closing a stream in which nothing is said for a while; clients skip it. */
export const KEEP_ALIVE = ': waiting\n\n';
