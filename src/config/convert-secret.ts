import { messageOf } from '../core/errors.ts';
import type { LoadScope } from './load-scope.ts';
import { type KeyPath, printable } from './problem.ts';
import { Secret } from './secret.ts';

/** MQTT's own limit for user name and password, and more than an HTTP server takes in a header. */
const SECRET_BYTES_MAX = 65_535;

/** An empty value is none, so that one file serves with and without: `${USER:-}`. */
export const givenText = (text: string): string | undefined => (text === '' ? undefined : text);

/** A secret as written, from the environment, or by `file:<path>` from a file. No message from here on may hold the value. */
export function convertSecret(path: KeyPath, written: string, scope: LoadScope): Secret | undefined {
  const text = scope.interpolated(path, written);
  const value = givenText(text.startsWith('file:') ? readSecret(path, text.slice('file:'.length), scope) : text);
  return value === undefined ? undefined : new Secret(value);
}

function readSecret(path: KeyPath, file: string, scope: LoadScope): string {
  try {
    const bytes = scope.deps.files.read(scope.absolute(file), SECRET_BYTES_MAX);
    // Editors and `echo` end a file with a line end that is not meant.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (thrown) {
    scope.refuse(path, `the secret cannot be read: ${printable(messageOf(thrown))}`);
    return '';
  }
}
