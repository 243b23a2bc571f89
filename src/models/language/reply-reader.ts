import { createDetokenizer, type Detokenizer } from './detokenizer.ts';
import { createStopScanner, heldBack } from './stop-strings.ts';
import { parseToolCall, type ToolCall } from './tool-call.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A part of an answer, as soon as it is certain. */
export type ReplyPiece = { readonly kind: 'text'; readonly text: string } | ToolCall;

/** Reads an answer while its tokens come: text without what ends it, and the tool calls in it. */
export interface ReplyReader {
  /** The stop string that was found; nothing comes after it. */
  readonly stopped: string | undefined;
  push(id: number): readonly ReplyPiece[];
  /** What was held back, when nothing more comes. A tool call that was not finished comes as one that is invalid. */
  end(): readonly ReplyPiece[];
}

export interface ReplyOptions {
  /** Looked for in text, not within tool calls. */
  readonly stop?: readonly string[];
  /** What tool calls stand between; left out: there are none. */
  readonly marks?: { readonly open: string; readonly close: string } | undefined;
}

/** Makes a reader for one answer. Where the marks are control tokens only these count, so that a model cannot be talked into a call by quoted text. */
export function createReplyReader(vocabulary: Vocabulary, { stop = [], marks }: ReplyOptions = {}): ReplyReader {
  const openId = marks === undefined ? undefined : vocabulary.controls.get(marks.open);
  const closeId = marks === undefined ? undefined : vocabulary.controls.get(marks.close);
  const hasTokens = openId !== undefined && closeId !== undefined;
  const scanner = createStopScanner(stop);
  let detokenizer: Detokenizer = createDetokenizer(vocabulary);
  /** The text of the call that is being written. */
  let call: string | undefined;
  /** Text in which a mark may have begun. */
  let held = '';

  const show = (text: string): readonly ReplyPiece[] => {
    const shown = scanner.push(text);
    return shown === '' ? [] : [{ kind: 'text', text: shown }];
  };
  const open = (): void => {
    call = '';
  };
  const close = (): ToolCall => {
    const parsed = parseToolCall((call ?? '').trim());
    call = undefined;
    return parsed;
  };

  /** Takes marks that are plain text out of text. */
  const scan = (
    text: string,
    { open: opening, close: closing }: { readonly open: string; readonly close: string },
  ): readonly ReplyPiece[] => {
    const pieces: ReplyPiece[] = [];
    held += text;
    for (;;) {
      const mark = call === undefined ? opening : closing;
      const at = held.indexOf(mark);
      const keep = at >= 0 ? 0 : heldBack(held, [mark]);
      const before = at >= 0 ? held.slice(0, at) : held.slice(0, held.length - keep);
      if (call === undefined) pieces.push(...show(before));
      else call += before;
      held = held.slice(before.length + (at >= 0 ? mark.length : 0));
      if (at < 0) return pieces;
      if (call === undefined) open();
      else pieces.push(close());
    }
  };

  const take = (text: string): readonly ReplyPiece[] => {
    if (text === '') return [];
    if (marks !== undefined && !hasTokens) return scan(text, marks);
    if (call === undefined) return show(text);
    call += text;
    return [];
  };
  /** The rest of what came before a control token; behind it text begins anew, but not with a space that would be dropped. */
  const cut = (): readonly ReplyPiece[] => {
    const pieces = take(detokenizer.end());
    detokenizer = createDetokenizer({ ...vocabulary, dropsFirstSpace: false });
    return pieces;
  };

  return {
    get stopped() {
      return scanner.found;
    },
    push: (id) => {
      if (scanner.found !== undefined) return [];
      if (hasTokens && id === openId && call === undefined) {
        const pieces = cut();
        open();
        return pieces;
      }
      if (hasTokens && id === closeId && call !== undefined) return [...cut(), close()];
      return take(detokenizer.push(id));
    },
    end: () => {
      if (scanner.found !== undefined) return [];
      const pieces = [...take(detokenizer.end())];
      const rest = held;
      held = '';
      if (call !== undefined) {
        const text = (call + rest).slice(0, 1_000);
        call = undefined;
        return [...pieces, { kind: 'call-invalid', text, problem: 'the answer ended within the call' }];
      }
      pieces.push(...show(rest));
      const left = scanner.end();
      return left === '' ? pieces : [...pieces, { kind: 'text', text: left }];
    },
  };
}
