import { isIP } from 'node:net';

/**
 * Whether a Host header names this computer itself. A web page whose name was made to point at 127.0.0.1 sends its own name here, and is kept out by that where no
 * token keeps it out.
 */
export function isOwnHost(header: string | undefined): boolean {
  // HTTP/1.0 has none, and browsers do not speak it.
  if (header === undefined) return true;
  const name = header.replace(/:\d{1,5}$/u, '').toLowerCase();
  if (name === 'localhost' || name === '[::1]') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}
