import { messageOf } from '../../core/errors.ts';

/** Deeper than any message, tool or schema that is taken, so that nothing recursive is ever given more. */
const DEPTH_MAX = 128;

export type JsonBody = { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'refused'; readonly message: string };

const refused = (message: string): JsonBody => ({ kind: 'refused', message });

/** Reads bytes as one JSON text in UTF-8. */
export function readJsonBody(bytes: Uint8Array): JsonBody {
  if (bytes.length === 0) return refused('The request has no body; send a JSON object.');
  // Before anything is made of it: depth costs one look at each byte.
  if (depthOf(bytes) > DEPTH_MAX) return refused(`The JSON is nested deeper than ${DEPTH_MAX}. Send it flatter.`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refused('The body is not UTF-8. Send JSON as UTF-8.');
  }
  try {
    return { kind: 'value', value: JSON.parse(text) as unknown };
  } catch (thrown) {
    return refused(`The body is not JSON: ${messageOf(thrown).slice(0, 200)}`);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The most brackets that are open at once. Bytes of other characters never look like brackets or quotes in UTF-8. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0;
  let most = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (isText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > most) most = depth;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return most;
}
