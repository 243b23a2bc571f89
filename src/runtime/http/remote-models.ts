import type { ListedModel } from '../../sinks/openai/model-list.ts';
import type { ServedListener, ServedModel } from '../../sinks/openai/served-model.ts';
import { type AnswerId, type FromHttp, type ToHttp, unpackEnd } from './http-protocol.ts';
import { checkRequestSize } from './request-size.ts';

/** Models that answer in another thread, as the server of this one sees them. */
export class RemoteModels {
  readonly #send: (message: FromHttp) => void;
  readonly #listeners = new Map<AnswerId, ServedListener>();
  #asked: AnswerId = 0;

  constructor(send: (message: FromHttp) => void) {
    this.#send = send;
  }

  serve(listed: ListedModel): ServedModel {
    return {
      ...listed,
      ask: (request, listener) => {
        checkRequestSize(request, listed.contextTokens);
        this.#asked += 1;
        const id = this.#asked;
        this.#listeners.set(id, listener);
        this.#send({ kind: 'ask', id, request });
        return {
          cancel: () => {
            if (this.#listeners.delete(id)) this.#send({ kind: 'cancel', id });
          },
        };
      },
    };
  }

  /** What comes for an answer that was broken off was on its way then. */
  hear(message: Extract<ToHttp, { readonly id: AnswerId }>): void {
    const listener = this.#listeners.get(message.id);
    if (listener === undefined) return;
    switch (message.kind) {
      case 'pieces':
        return listener.onPieces(message.pieces, message.logprobs);
      case 'note':
        return listener.onNote(message.note);
      case 'end':
        this.#listeners.delete(message.id);
        return listener.onEnd(unpackEnd(message.end));
    }
  }
}
