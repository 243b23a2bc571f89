import type { ServerResponse } from 'node:http';
import type { WireError } from './wire-error.ts';

export function sendJson(response: ServerResponse, status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const text = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text), ...headers });
  response.end(text);
}

export function sendError(
  response: ServerResponse,
  { status, retryAfterS, body }: WireError,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendJson(response, status, body, {
    ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
    ...headers,
  });
}

/** The same without the machinery of a response, for a connection on which none can be made. */
export function rawError({ status, retryAfterS, body }: WireError, reason: string): string {
  const text = JSON.stringify(body);
  const retry = retryAfterS === undefined ? '' : `retry-after: ${retryAfterS}\r\n`;
  return `HTTP/1.1 ${status} ${reason}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\n${retry}connection: close\r\n\r\n${text}`;
}
