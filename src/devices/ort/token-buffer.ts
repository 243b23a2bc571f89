import type { SpokenToken } from '../../core/turn-task.ts';

/** Collects tokens and hands them on when the last hand-over was a while ago: a system call for each would cost a small model a part of its speed. */
export function createTokenBuffer(
  nowUs: () => number,
  send: (tokens: readonly SpokenToken[]) => void,
): { add(token: SpokenToken): void; flush(): void } {
  let tokens: SpokenToken[] = [];
  let sentAt = Number.NEGATIVE_INFINITY;
  const flush = (): void => {
    if (tokens.length === 0) return;
    send(tokens);
    tokens = [];
    sentAt = nowUs();
  };
  return {
    add(token) {
      tokens.push(token);
      if (nowUs() - sentAt >= TOKENS_HELD_US || tokens.length >= TOKENS_HELD_MAX) flush();
    },
    flush,
  };
}

/** Nobody reads faster than this; at 10 ms a token each is told at once. */
const TOKENS_HELD_US = 5000;
/** Far from the length that a reply may have. */
const TOKENS_HELD_MAX = 16;
