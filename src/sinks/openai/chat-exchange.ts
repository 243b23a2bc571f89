import type { ServerResponse } from 'node:http';
import { after, type Clock, type Timer } from '../../core/clock.ts';
import type { DurationUs } from '../../core/units.ts';
import { createReplyWriter, type ReplyHead, type ReplyWriter, type WireLogprob, type WirePiece } from './chat-reply.ts';
import { lostAnswer } from './lost-answer.ts';
import { PacedWriter } from './paced-writer.ts';
import { sendError } from './send.ts';
import type { ServedEnd, ServedListener, ServedModel, ServedRequest } from './served-model.ts';
import { encodeEvent, KEEP_ALIVE, STREAM_END } from './server-sent-events.ts';
import { overloaded, type WireError, wireErrorOf } from './wire-error.ts';

export interface ExchangeOptions {
  readonly unreadBytesMax: number;
  readonly stalledAfterUs: DurationUs;
  readonly keepAliveUs: DurationUs;
}

export interface ExchangeDeps {
  readonly clock: Clock;
  readonly response: ServerResponse;
  readonly head: ReplyHead;
  /** Something that the operator should know. */
  readonly onTrouble: (message: string) => void;
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Tells nginx and its like to pass events on as they come.
  'x-accel-buffering': 'no',
};

/** One request to a model and its answer, streamed or whole. A client that goes away, or does not read, ends the answer. */
export class ChatExchange implements ServedListener {
  readonly #request: ServedRequest;
  readonly #options: ExchangeOptions;
  readonly #deps: ExchangeDeps;
  readonly #writer: ReplyWriter;
  readonly #pace: PacedWriter;
  #reply: { cancel(): void } | undefined;
  #isOver = false;
  /** Of tokens that gave no piece yet. */
  #logprobs: WireLogprob[] = [];
  #silence: Timer | undefined;

  constructor(request: ServedRequest, options: ExchangeOptions, deps: ExchangeDeps) {
    const { clock, response } = deps;
    this.#request = request;
    this.#options = options;
    this.#deps = deps;
    this.#writer = createReplyWriter(deps.head);
    this.#pace = new PacedWriter(options, {
      clock,
      write: (bytes, onTaken) => response.write(bytes, (error) => (error ? undefined : onTaken())),
      finish: () => response.end(),
      onGivenUp: (why) => {
        deps.onTrouble(`an HTTP client did not read its answer (${why}); it was broken off`);
        this.#leave();
        response.destroy();
      },
    });
    response.once('close', () => {
      this.#pace.close();
      this.#leave();
    });
  }

  begin(model: ServedModel): void {
    this.#keepAlive();
    try {
      const reply = model.ask(this.#request, this);
      this.#reply = reply;
      // It may have been given up within the call, by a reader or a model that is quick.
      if (this.#isOver) reply.cancel();
    } catch (thrown) {
      const error = wireErrorOf(thrown);
      if (error.status >= 500) this.#deps.onTrouble(`an HTTP request could not be served: ${String(thrown)}`);
      this.#fail(error);
    }
  }

  onPieces(pieces: readonly WirePiece[], logprobs: readonly WireLogprob[] | undefined): void {
    if (this.#isOver) return;
    if (logprobs !== undefined) this.#logprobs.push(...logprobs);
    const asked = this.#request.sampling.logprobs !== undefined;
    const chunks = pieces.map((piece) => this.#writer.piece(piece, asked ? this.#logprobs.splice(0) : undefined));
    this.#send(chunks);
  }

  onNote(note: Readonly<Record<string, unknown>>): void {
    if (!this.#isOver) this.#send([this.#writer.note(note)]);
  }

  onEnd(end: ServedEnd): void {
    if (this.#isOver) return;
    if (end.kind === 'refused') return this.#fail(wireErrorOf(end.error));
    if (end.kind === 'overloaded') return this.#fail(overloaded(end.reason, end.retryAfterS));
    if (end.kind === 'lost') return this.#fail(lostAnswer(end.outcome, end.problem));
    const { finish, usage } = end;
    const { isStream, includesUsage } = this.#request;
    const last = this.#logprobs.length > 0 ? [this.#writer.piece({ kind: 'text', text: '' }, this.#logprobs.splice(0))] : [];
    if (isStream) {
      this.#send([...last, this.#writer.end(finish), ...(includesUsage ? [this.#writer.usage(usage)] : [])]);
      this.#pace.push(STREAM_END);
    } else {
      const { response } = this.#deps;
      const text = JSON.stringify(this.#writer.whole(finish, usage));
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(text) });
      this.#pace.push(text);
    }
    this.#end();
  }

  /** The server stops before the answer has ended. */
  breakOff(): void {
    if (this.#isOver) return;
    const reply = this.#reply;
    this.#fail(lostAnswer({ kind: 'dropped', reason: 'stopping' }));
    reply?.cancel();
  }

  #send(chunks: readonly object[]): void {
    if (!this.#request.isStream || chunks.length === 0) return;
    this.#openStream();
    this.#pace.push(chunks.map(encodeEvent).join(''));
    this.#keepAlive();
  }

  /** As late as possible: until then the request can still be refused with a status. */
  #openStream(): void {
    const { response } = this.#deps;
    if (response.headersSent) return;
    response.writeHead(200, STREAM_HEADERS);
    this.#pace.push(encodeEvent(this.#writer.begin()));
  }

  #keepAlive(): void {
    this.#silence?.cancel();
    if (!this.#request.isStream || this.#isOver) return;
    this.#silence = after(this.#deps.clock, this.#options.keepAliveUs, () => {
      if (this.#isOver) return;
      this.#openStream();
      // A comment is worth nothing to somebody who has not read what came before it.
      if (this.#pace.unreadBytes === 0) this.#pace.push(KEEP_ALIVE);
      this.#keepAlive();
    });
  }

  #fail(error: WireError): void {
    const { response } = this.#deps;
    if (!response.headersSent) sendError(response, error);
    else {
      this.#pace.push(encodeEvent(error.body));
      this.#pace.end();
    }
    this.#isOver = true;
    this.#silence?.cancel();
  }

  #end(): void {
    this.#isOver = true;
    this.#silence?.cancel();
    this.#pace.end();
  }

  /** Nobody is there any more. */
  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#silence?.cancel();
    this.#reply?.cancel();
  }
}
