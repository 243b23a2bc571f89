import type { Worker } from 'node:worker_threads';
import { after, type Clock, type Timer } from '../../core/clock.ts';
import { createDeferred } from '../../core/deferred.ts';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import type { HttpSettings } from '../../core/http-settings.ts';
import { addUs, type DurationUs, durationFromMs } from '../../core/units.ts';
import type { ServedEnd, ServedModel, ServedRequest } from '../../sinks/openai/served-model.ts';
import { openThread } from '../threads/open-thread.ts';
import { PacedPort } from '../threads/paced-port.ts';
import {
  type AnswerId,
  BEAT_MS,
  BEATS_MISSED_MAX,
  type FromHttp,
  type HttpInit,
  MAIN_WINDOWS,
  packEnd,
  type ToHttp,
} from './http-protocol.ts';

export interface HttpThreadDeps {
  readonly clock: Clock;
  /** By name; the first of a name counts. */
  readonly models: readonly ServedModel[];
  /** Something that the operator should know. */
  readonly onTrouble: (message: string) => void;
  /** The thread was lost, and what it was answering with it. */
  readonly onLost: (message: string) => void;
}

/** The server for OpenAI clients, in a thread of its own. */
export interface HttpThread {
  /** `http://host:port`, with the port that it is. */
  readonly url: string;
  /** Answers under way. */
  readonly answerCount: number;
  /** From here on requests are taken: there is somebody who answers. Before, they get 503. */
  open(): void;
  /** From here on requests get 503, and `/readyz` says so. True when the answers under way have ended; false when the time was over before. */
  drain(within: DurationUs): Promise<boolean>;
  /** Breaks off what is under way and closes every connection. */
  close(): Promise<void>;
}

/** After so many losses in a row without one answer between them, it is not started again. */
const LOSSES_IN_A_ROW_MAX = 5;
/** From the second loss in a row on, times how many there were: what keeps a port taken may pass. */
const RESTART_US = durationFromMs(500);
/** For the thread to say that it has closed everything, or how its draining ended. */
const GOODBYE_US = durationFromMs(1_000);

/** Starts the thread and listens. Errors: HTTP_UNAVAILABLE, WORKER_CRASHED (the thread ended before it listened). */
export async function startHttpThread(settings: HttpSettings<string>, deps: HttpThreadDeps): Promise<HttpThread> {
  const thread = new SupervisedThread(settings, deps);
  try {
    await thread.listening;
  } catch (error) {
    await thread.close();
    throw error;
  }
  return thread;
}

/** A thread that lives, and what is spoken about with it. */
interface Life {
  readonly worker: Worker;
  readonly port: PacedPort<ToHttp, FromHttp>;
  readonly answers: Map<AnswerId, { cancel(): void }>;
  readonly drained: ReturnType<typeof createDeferred<boolean>>;
  readonly ended: ReturnType<typeof createDeferred<void>>;
  beatsMissed: number;
}

class SupervisedThread implements HttpThread {
  #settings: HttpSettings<string>;
  readonly #deps: HttpThreadDeps;
  readonly #listening = createDeferred<void>();
  #life: Life | undefined;
  #url = '';
  #isOpen = false;
  #isDraining = false;
  #isClosed = false;
  #lossesInARow = 0;
  #beating: Timer | undefined;
  #restart: Timer | undefined;

  constructor(settings: HttpSettings<string>, deps: HttpThreadDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#live();
    this.#beat();
  }

  get listening(): Promise<void> {
    return this.#listening.promise;
  }

  get url(): string {
    return this.#url;
  }

  get answerCount(): number {
    return this.#life?.answers.size ?? 0;
  }

  open(): void {
    this.#isOpen = true;
    this.#tellHowItStands();
  }

  async drain(within: DurationUs): Promise<boolean> {
    this.#isDraining = true;
    const life = this.#life;
    if (life === undefined) return true;
    life.port.send({ kind: 'drain', within });
    const { clock } = this.#deps;
    const late = clock.at(addUs(addUs(clock.now(), within), GOODBYE_US), () => life.drained.resolve(false));
    // Of a thread that is lost nothing is under way any more.
    const isIdle = await Promise.race([life.drained.promise, life.ended.promise.then(() => true)]);
    late.cancel();
    return isIdle;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#beating?.cancel();
    this.#restart?.cancel();
    const life = this.#life;
    if (life === undefined) return;
    life.port.send({ kind: 'close' });
    const late = after(this.#deps.clock, GOODBYE_US, () => void life.worker.terminate());
    await life.ended.promise;
    late.cancel();
  }

  #live(): void {
    const models = this.#deps.models.map(({ id, createdS, contextTokens }) => ({ id, createdS, contextTokens }));
    const init: HttpInit = { settings: this.#settings, models };
    const worker = openThread(new URL('./http-worker', import.meta.url), init);
    const life: Life = {
      ...{ worker, answers: new Map(), beatsMissed: 0, drained: createDeferred<boolean>(), ended: createDeferred<void>() },
      port: new PacedPort<ToHttp, FromHttp>(worker, MAIN_WINDOWS, (message) => this.#hear(life, message)),
    };
    this.#life = life;
    // 'error' comes before 'exit', and carries the reason.
    let lastWords = '';
    worker.on('error', (error) => {
      lastWords = messageOf(error);
    });
    worker.on('exit', (code) => this.#lose(life, lastWords || `exit code ${code}`));
  }

  #hear(life: Life, message: FromHttp): void {
    if (life !== this.#life) return;
    life.beatsMissed = 0;
    switch (message.kind) {
      case 'listening':
        this.#url = message.url;
        // Clients know where it was: when it is started again, it is there again.
        this.#settings = { ...this.#settings, port: message.port };
        this.#tellHowItStands();
        return this.#listening.resolve();
      case 'unavailable':
        if (this.#url === '') this.#listening.reject(new CoxswainError(message.code, message.message));
        else this.#deps.onTrouble(message.message);
        return void life.worker.terminate();
      case 'ask':
        return this.#ask(life, message.id, message.request);
      case 'cancel':
        return this.#cancel(life, message.id);
      case 'trouble':
        return this.#deps.onTrouble(message.message);
      case 'beat':
        return;
      case 'drained':
        return life.drained.resolve(message.isIdle);
      case 'closed':
        return void life.worker.terminate();
    }
  }

  #ask({ answers, port }: Life, id: AnswerId, request: ServedRequest): void {
    let isOver = false;
    const end = (how: ServedEnd): void => {
      if (isOver) return;
      isOver = true;
      answers.delete(id);
      this.#lossesInARow = 0;
      port.send({ kind: 'end', id, end: packEnd(how) });
    };
    const model = this.#deps.models.find((candidate) => candidate.id === request.model);
    try {
      if (model === undefined) throw new CoxswainError('MODEL_UNKNOWN', `There is no model ${JSON.stringify(request.model)}.`);
      const reply = model.ask(request, {
        onPieces: (pieces, logprobs) =>
          isOver ? undefined : port.send({ kind: 'pieces', id, pieces, ...(logprobs === undefined ? {} : { logprobs }) }),
        onNote: (note) => (isOver ? undefined : port.send({ kind: 'note', id, note })),
        onEnd: end,
      });
      const cancel = (): void => {
        // The client is gone, or its thread: nothing more is sent.
        isOver = true;
        reply.cancel();
      };
      if (!isOver) answers.set(id, { cancel });
    } catch (thrown) {
      if (!(thrown instanceof CoxswainError)) this.#deps.onTrouble(`an HTTP request could not be served: ${messageOf(thrown)}`);
      end({ kind: 'refused', error: thrown instanceof Error ? thrown : new Error(messageOf(thrown)) });
    }
  }

  #cancel({ answers }: Life, id: AnswerId): void {
    const reply = answers.get(id);
    answers.delete(id);
    reply?.cancel();
  }

  #tellHowItStands(): void {
    this.#life?.port.send({ kind: 'beat', isReady: this.#isOpen });
  }

  /** A thread that does not answer is ended; the loss of it is seen as any other. */
  #beat(): void {
    this.#beating = after(this.#deps.clock, durationFromMs(BEAT_MS), () => {
      const life = this.#life;
      if (life !== undefined) {
        life.beatsMissed += 1;
        if (life.beatsMissed > BEATS_MISSED_MAX) void life.worker.terminate();
        else this.#tellHowItStands();
      }
      this.#beat();
    });
  }

  #lose(life: Life, message: string): void {
    this.#life = undefined;
    for (const reply of life.answers.values()) reply.cancel();
    life.answers.clear();
    life.ended.resolve();
    if (this.#isClosed) return;
    const { clock, onLost } = this.#deps;
    const error = new CoxswainError('WORKER_CRASHED', `the HTTP thread was lost: ${message}`);
    this.#listening.reject(error);
    this.#lossesInARow += 1;
    const isLast = this.#lossesInARow > LOSSES_IN_A_ROW_MAX || this.#isDraining || this.#url === '';
    onLost(`${error.message}; ${isLast ? 'nobody is served over HTTP any more' : 'it is started again'}`);
    if (isLast) return;
    const wait = ((this.#lossesInARow - 1) * RESTART_US) as DurationUs;
    this.#restart = after(clock, wait, () => this.#live());
  }
}
