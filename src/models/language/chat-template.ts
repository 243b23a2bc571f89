import { CoxswainError } from '../../core/errors.ts';
import { type ChatRequest, type TextChange, templateVariables } from './chat-message.ts';
import { createControlSplitter, type TextPiece } from './control-tokens.ts';
import { createStandIns, type StandIns } from './stand-ins.ts';
import { createBoundedTemplate, type TemplateLimits } from './template-sandbox.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A conversation as the model reads it. */
export interface ChatPrompt {
  readonly ids: readonly number[];
  /** The same as text, control tokens written out. */
  readonly text: string;
  /** So many of the first tokens are those of the system messages and tools alone, and come again with other conversations. */
  readonly sharedTokens: number;
}

export interface ChatTemplate {
  /**
   * Renders messages and tools. Control tokens come from the template alone: what is written in a message stays text, however it is written. Templates can trim, cut and
   * measure messages, but see other letters in them: one that asks whether a message contains a certain word finds none.
   * Errors: PROMPT_REFUSED (the template rejects the messages; too many, too long), MODEL_UNSUPPORTED (a template that does not end).
   */
  encode(request: ChatRequest): ChatPrompt;
}

export interface ChatLimits {
  readonly messagesMax: number;
  readonly charsMax: number;
}

const CHAT_LIMITS: ChatLimits = { messagesMax: 1_000, charsMax: 262_144 };
/** Stops a word from being a control token where nothing else does; a reader does not see it. */
const ZERO_WIDTH_SPACE = '\u200b';

/** Makes the chat template of a model. Errors: MODEL_UNSUPPORTED (it has none, or one over the limits), MODEL_UNLOADABLE (one that cannot be read). */
export function createChatTemplate(
  place: string,
  tokenizer: Tokenizer,
  limits: ChatLimits = CHAT_LIMITS,
  templateLimits?: TemplateLimits,
): ChatTemplate {
  const source = tokenizer.chatTemplate;
  if (source === undefined) {
    const message = `${place} has no chat template in tokenizer_config.json or chat_template.jinja. Use a model that was trained for conversations.`;
    throw new CoxswainError('MODEL_UNSUPPORTED', message);
  }
  const template = createBoundedTemplate(place, source, templateLimits);
  const { controls } = tokenizer.vocabulary;
  const splitter = createControlSplitter(controls);

  const render = (request: ChatRequest, content: TextChange, naming: TextChange): string =>
    template.render({ ...tokenizer.namedTokens, ...templateVariables(request, content, naming) }, request.nowMs);

  const controlsOf = (text: string): string =>
    splitter
      .split(text)
      .flatMap((piece) => (piece.kind === 'control' ? [piece.id] : []))
      .join();

  /** The rendered conversation, strangers' characters replaced; the control tokens in it are the template's own. */
  const renderSafely = (request: ChatRequest, standIns: StandIns): string => {
    const rendered = render(request, standIns.all, standIns.whole);
    // Names are replaced only where they are control tokens, for templates know some; should one become part of a control token, they are replaced as well.
    const certain = render(request, standIns.all, standIns.all);
    const safe = controlsOf(rendered) === controlsOf(certain) ? rendered : certain;
    if (!standIns.isEscaped(safe)) return safe;
    // The template writes its messages in escapes, where replacements could not be taken back. What is no danger is rendered as it is, the rest in broken words.
    const same = (text: string) => text;
    const plain = render(request, same, same);
    if (controlsOf(plain) === controlsOf(certain)) return plain;
    const broken = (text: string) =>
      standIns.whole(text).replace(/[\ue000-\uf8ff]/gu, (stand) => standIns.restore(stand) + ZERO_WIDTH_SPACE);
    return render(request, broken, broken);
  };

  const encode = (request: ChatRequest, standIns: StandIns): { readonly ids: readonly number[]; readonly text: string } => {
    const rendered = renderSafely(request, standIns);
    const pieces = splitter
      .split(rendered)
      .map((piece): TextPiece => (piece.kind === 'control' ? piece : { kind: 'text', text: standIns.restore(piece.text) }));
    return { ids: tokenizer.encodePieces(pieces), text: standIns.restore(rendered) };
  };

  return {
    encode: (request) => {
      const texts = textsOf(request);
      checkSize(request, texts, limits);
      const standIns = createStandIns(controls.keys(), [...texts, source]);
      const prompt = encode(request, standIns);
      return { ...prompt, sharedTokens: sharedTokens(request, prompt.ids, (part) => encode(part, standIns).ids) };
    },
  };
}

/** How far the conversation begins as its system messages and tools alone do. */
function sharedTokens(request: ChatRequest, ids: readonly number[], encode: (request: ChatRequest) => readonly number[]): number {
  const count = request.messages.findIndex((message) => message.role !== 'system');
  const messages = count < 0 ? request.messages : request.messages.slice(0, count);
  if (messages.length === 0 && (request.tools?.length ?? 0) === 0) return 0;
  let alone: readonly number[];
  try {
    alone = encode({ ...request, messages, addsGenerationPrompt: false });
  } catch (error) {
    // Some templates reject a conversation without a user; then nothing is known to be shared.
    if (error instanceof CoxswainError && error.code === 'PROMPT_REFUSED') return 0;
    throw error;
  }
  let shared = 0;
  while (shared < alone.length && alone[shared] === ids[shared]) shared += 1;
  return shared;
}

function checkSize(request: ChatRequest, texts: readonly string[], limits: ChatLimits): void {
  const { messages } = request;
  if (messages.length === 0 || messages.length > limits.messagesMax)
    throw new CoxswainError(
      'PROMPT_REFUSED',
      `${messages.length} messages were sent; 1 to ${limits.messagesMax} are possible. Send the last ones alone.`,
    );
  const chars = texts.reduce((sum, text) => sum + text.length, 0);
  if (chars > limits.charsMax)
    throw new CoxswainError(
      'PROMPT_REFUSED',
      `messages and tools have ${chars} characters; at most ${limits.charsMax} are possible. Send less of them.`,
    );
}

/** Deeper than any tool's arguments or schema. */
const DEPTH_MAX = 100;

/** Every text of a request, level by level, so that depth is found before anything recursive meets it. */
function textsOf(request: ChatRequest): readonly string[] {
  const texts: string[] = [];
  let level: readonly unknown[] = [request.messages, request.tools, request.variables];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEPTH_MAX)
      throw new CoxswainError('PROMPT_REFUSED', `tools or arguments are nested deeper than ${DEPTH_MAX}. Send them flatter.`);
    const inner: unknown[] = [];
    for (const value of level) {
      if (typeof value === 'string') texts.push(value);
      if (typeof value !== 'object' || value === null) continue;
      if (!Array.isArray(value)) texts.push(...Object.keys(value));
      for (const part of Object.values(value)) inner.push(part);
    }
    level = inner;
  }
  return texts;
}
