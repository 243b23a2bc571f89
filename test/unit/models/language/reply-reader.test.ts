import { describe, expect, it } from 'vitest';
import { createReplyReader, type ReplyOptions, type ReplyPiece } from '../../../../src/models/language/reply-reader.ts';
import { createTokenizer } from '../../../../src/models/language/tokenizer.ts';
import { byteLevelFiles, sentencePieceFiles } from '../../../support/tokenizer-fixture.ts';

const tokenizer = createTokenizer('fixture', byteLevelFiles());
const MARKS = { open: '<tool_call>', close: '</tool_call>' };

/** The pieces of an answer, text joined. */
function read(
  text: string,
  options: ReplyOptions,
  special = true,
  from = tokenizer,
): { readonly pieces: readonly ReplyPiece[]; readonly stopped: string | undefined } {
  const reader = createReplyReader(from.vocabulary, options);
  const pieces: ReplyPiece[] = [];
  for (const id of from.encode(text, { special })) pieces.push(...reader.push(id));
  pieces.push(...reader.end());
  const joined: ReplyPiece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (piece.kind === 'text' && last?.kind === 'text') joined[joined.length - 1] = { kind: 'text', text: last.text + piece.text };
    else joined.push(piece);
  }
  return { pieces: joined, stopped: reader.stopped };
}

const HEAT = '{"name":"heat","arguments":{"level":2}}';
const heat = { kind: 'call', name: 'heat', arguments: { level: 2 }, argumentsText: '{"level":2}' };

describe('a reader of answers', () => {
  it('gives text and tool calls in their order', () => {
    const { pieces } = read(`One moment. <tool_call>${HEAT}</tool_call><tool_call>${HEAT}</tool_call> Done.`, { marks: MARKS });
    expect(pieces).toEqual([{ kind: 'text', text: 'One moment. ' }, heat, heat, { kind: 'text', text: ' Done.' }]);
  });

  it('takes marks that are quoted as text for text', () => {
    const { pieces } = read(`Write <tool_call>${HEAT}</tool_call>.`, { marks: MARKS }, false);
    expect(pieces).toEqual([{ kind: 'text', text: `Write <tool_call>${HEAT}</tool_call>.` }]);
  });

  it('finds marks that are no control tokens in text, however they are cut', () => {
    const marks = { open: '[CALL]', close: '[/CALL]' };
    expect(read(`a [CALLS] [CALL] ${HEAT} [/CALL] b [CA`, { marks }).pieces).toEqual([
      { kind: 'text', text: 'a [CALLS] ' },
      heat,
      { kind: 'text', text: ' b [CA' },
    ]);
  });

  it('shows control tokens neither where calls are not looked for nor where they end an answer', () => {
    expect(read('a<tool_call>b<|im_end|>', {}).pieces).toEqual([{ kind: 'text', text: 'ab' }]);
  });

  it('says of a call that was not finished, and of one that cannot be read, why', () => {
    expect(read(`<tool_call>{"name":`, { marks: MARKS }).pieces).toEqual([
      { kind: 'call-invalid', text: '{"name":', problem: expect.stringContaining('ended') },
    ]);
    for (const [text, problem] of [
      ['no JSON', 'none'],
      ['[1]', 'none'],
      ['{"arguments":{}}', '"name"'],
      ['{"name":7}', '"name"'],
      ['{"name":"a","arguments":[1]}', '"arguments"'],
      ['{"name":"a","arguments":"x"}', '"arguments"'],
      [`{"name":"a","arguments":{"x":${'['.repeat(200)}${']'.repeat(200)}}}`, 'deeper'],
      [`{"name":"${'a'.repeat(70_000)}"}`, 'longer'],
    ] as const)
      expect(read(`<tool_call>${text}</tool_call>`, { marks: MARKS }).pieces).toEqual([
        expect.objectContaining({ kind: 'call-invalid', problem: expect.stringContaining(problem) }),
      ]);
  });

  it('takes arguments that are a text of JSON, and calls without any', () => {
    const calls = read('<tool_call>{"name":"a","arguments":"{\\"x\\":1}"}</tool_call><tool_call>{"name":"b"}</tool_call>', {
      marks: MARKS,
    }).pieces;
    expect(calls).toMatchObject([{ arguments: { x: 1 } }, { arguments: {} }]);
  });

  it('stops at a stop string in text and not within a call', () => {
    const { pieces, stopped } = read(`<tool_call>{"name":"a","arguments":{"x":"END"}}</tool_call> so END here`, {
      marks: MARKS,
      stop: ['END'],
    });
    expect(pieces).toMatchObject([{ name: 'a' }, { kind: 'text', text: ' so ' }]);
    expect(stopped).toBe('END');
  });

  it('keeps the space behind a call that a SentencePiece text has', () => {
    const other = createTokenizer('fixture', sentencePieceFiles());
    const reader = createReplyReader(other.vocabulary, { marks: MARKS });
    const open = other.vocabulary.controls.get('<tool_call>') ?? -1;
    const close = other.vocabulary.controls.get('</tool_call>') ?? -1;
    const ids = [
      ...other.encode('a', { special: false }),
      open,
      ...other.encode('{"name":"b"}', { special: false }),
      close,
      ...other.encode('c', { special: false }),
    ];
    const pieces = [...ids.flatMap((id) => reader.push(id)), ...reader.end()];
    expect(pieces.map((piece) => (piece.kind === 'text' ? piece.text : piece.kind)).join('')).toBe('acall c');
  });
});
