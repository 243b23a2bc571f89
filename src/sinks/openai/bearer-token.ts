import { createHash, timingSafeEqual } from 'node:crypto';

/** Says whether an `Authorization` header has the token, in a time that tells nothing about how much of it was right. */
export function createBearerCheck(token: string): (header: string | undefined) => boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  const right = digest(token);
  return (header) => {
    const given = /^bearer +(\S+) *$/iu.exec(header ?? '')?.[1];
    // Hashed either way: what differs in length has the same length then.
    return timingSafeEqual(digest(given ?? ''), right) && given !== undefined;
  };
}
