import { assert } from '../core/assert.ts';
import { after, type Clock, type Timer } from '../core/clock.ts';
import { CoxswainError } from '../core/errors.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId, ModelSpec } from '../core/model.ts';
import type { SegmentEnd } from '../core/segment.ts';
import { type DurationUs, durationUs, elapsedUs, type InstantUs } from '../core/units.ts';
import type { CoreLoss, Device } from '../devices/device.ts';

export interface RestartPolicy {
  /** More losses than this within `withinUs` put the core in quarantine. */
  readonly lossesMax: number;
  readonly withinUs: DurationUs;
  /** Wait before the second restart within the window; doubles with each further one. The first restart does not wait. */
  readonly backoffUs: DurationUs;
  /** How long a core stays in quarantine before one attempt to bring it back. */
  readonly probeAfterUs: DurationUs;
}

export interface SupervisedCore {
  readonly core: CoreId;
  /** In the order of loading, the most critical first. */
  readonly models: readonly ModelSpec[];
}

/** What the supervisor tells; it is told last, so that a listener may ask for the core's new state. */
export interface SupervisorListener {
  /** A core is being brought up, the first time or again. */
  coreStarting(core: CoreId): void;
  coreBack(core: CoreId, models: readonly ModelId[]): void;
  coreLost(core: CoreId, reason: 'core-crashed' | 'core-hung', message: string): void;
  quarantined(core: CoreId, message: string): void;
  /** The model will not be tried on this core again. */
  modelRefused(core: CoreId, model: ModelId, error: CoxswainError): void;
}

export interface SupervisorDeps {
  readonly clock: Clock;
  readonly device: Device;
  readonly listener: SupervisorListener;
  /** Runs a model once on zeros; `onEnd` is called exactly once, never inside the call. */
  readonly activate: (core: CoreId, model: ModelSpec, onEnd: (end: SegmentEnd) => void) => void;
}

export type SupervisedState = 'starting' | 'ready' | 'lost' | 'quarantined';

interface Post {
  readonly core: CoreId;
  readonly models: readonly ModelSpec[];
  readonly refused: Set<ModelId>;
  /** Models that have run once on this core. */
  readonly activated: Set<ModelId>;
  readonly lostWhileLoading: Map<ModelId, number>;
  state: SupervisedState;
  lossesAt: InstantUs[];
  restarts: number;
  /** Brought back out of quarantine, and on probation until `withinUs` has passed. */
  probationUntil: InstantUs | undefined;
  loading: ModelId | undefined;
  timer: Timer | undefined;
  isSettled: boolean;
}

/** A model whose loading takes its core down this often is refused, so that it does not take the core's other models along (faults M7). */
const LOSSES_WHILE_LOADING_MAX = 2;

/**
 * Keeps cores alive. The one place that decides what a lost core means: start it again at once, later, or put it in quarantine and knock after a while.
 *
 *     start ─▶ load models ─▶ ready ──lost──▶ restart (backoff) ─▶ ...
 *                                     └─ too often ─▶ quarantined ──probeAfter──▶ one try, on probation
 */
export class Supervisor {
  readonly #policy: RestartPolicy;
  readonly #clock: Clock;
  readonly #device: Device;
  readonly #listener: SupervisorListener;
  readonly #activate: SupervisorDeps['activate'];
  readonly #posts: ReadonlyMap<CoreId, Post>;
  #isStopped = false;
  #onSettled: () => void = () => undefined;

  constructor(options: { readonly cores: readonly SupervisedCore[]; readonly policy: RestartPolicy }, deps: SupervisorDeps) {
    this.#policy = options.policy;
    this.#clock = deps.clock;
    this.#device = deps.device;
    this.#listener = deps.listener;
    this.#activate = deps.activate;
    this.#posts = new Map(options.cores.map(({ core, models }) => [core, createPost(core, models)]));
  }

  /** Starts every core; resolves when each is ready or has failed its first start, so that streams do not begin against cores still loading. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSettled = () => {
        if ([...this.#posts.values()].every((post) => post.isSettled)) resolve();
      };
      for (const post of this.#posts.values()) this.#startCore(post);
    });
  }

  /** From now on a lost core is still told, but no core is started again. */
  stop(): void {
    this.#isStopped = true;
    for (const post of this.#posts.values()) post.timer?.cancel();
  }

  state(core: CoreId): SupervisedState {
    return this.#post(core).state;
  }

  restarts(core: CoreId): number {
    return this.#post(core).restarts;
  }

  /** Cores that are not ready. */
  get coresMissing(): number {
    let count = 0;
    for (const post of this.#posts.values()) if (post.state !== 'ready') count += 1;
    return count;
  }

  /** From the device's listener. */
  coreLost(loss: CoreLoss): void {
    const post = this.#post(loss.core);
    if (post.loading !== undefined) this.#blameLoading(post, post.loading, loss.message);
    this.#lost(post, loss.reason === 'hung' ? 'core-hung' : 'core-crashed', loss.message);
  }

  #startCore(post: Post): void {
    post.state = 'starting';
    this.#listener.coreStarting(post.core);
    this.#device.start(post.core, (error) => {
      if (this.#isStopped) return;
      if (error === undefined) this.#loadNext(post, 0);
      else this.#lost(post, 'core-crashed', error.message);
    });
  }

  #loadNext(post: Post, index: number): void {
    const model = post.models[index];
    if (model === undefined) return this.#ready(post);
    if (post.refused.has(model.id)) return this.#loadNext(post, index + 1);
    post.loading = model.id;
    this.#device.load(post.core, model, (error) => {
      if (this.#isStopped) return;
      // The core itself was lost; `coreLost` follows or has come, and starts anew.
      if (error?.retryable) return;
      if (error !== undefined) return this.#refuseLoaded(post, index, model.id, error);
      this.#activateThenNext(post, index, model);
    });
  }

  /**
   * Before its first frame a model runs once on zeros: it pages in its memory, and what a bad model does then it does not do to a frame. A core that comes
   * back skips this, since it has to be quick, and so does a model with a state, which shall begin with its first frame.
   */
  #activateThenNext(post: Post, index: number, model: ModelSpec): void {
    const next = (): void => {
      post.loading = undefined;
      post.activated.add(model.id);
      this.#loadNext(post, index + 1);
    };
    if (post.activated.has(model.id) || model.states.length > 0) return next();
    this.#activate(post.core, model, (end) => {
      if (this.#isStopped || post.loading !== model.id) return;
      if (end.kind === 'done' || end.reason === 'non-finite') return next();
      // The core was lost: as above.
      if (end.reason === 'core-crashed' || end.reason === 'core-hung') return;
      const error = new CoxswainError('MODEL_CONTRACT', `its first run, on zeros, failed (${end.reason}): ${end.message}`);
      this.#refuseLoaded(post, index, model.id, error);
    });
  }

  #refuseLoaded(post: Post, index: number, model: ModelId, error: CoxswainError): void {
    post.loading = undefined;
    this.#refuse(post, model, error);
    this.#loadNext(post, index + 1);
  }

  #ready(post: Post): void {
    post.state = 'ready';
    const models = post.models.map((model) => model.id).filter((id) => !post.refused.has(id));
    this.#listener.coreBack(post.core, models);
    this.#settle(post);
  }

  #lost(post: Post, reason: 'core-crashed' | 'core-hung', message: string): void {
    const now = this.#clock.now();
    post.loading = undefined;
    post.state = 'lost';
    post.lossesAt = [...post.lossesAt.filter((at) => elapsedUs(at, now) < this.#policy.withinUs), now];
    this.#listener.coreLost(post.core, reason, message);
    this.#settle(post);
    if (this.#isStopped) return;
    const isOnProbation = post.probationUntil !== undefined && now < post.probationUntil;
    if (isOnProbation || post.lossesAt.length > this.#policy.lossesMax) return this.#quarantine(post, message);
    const repeats = post.lossesAt.length - 2;
    const delay = repeats < 0 ? 0 : this.#policy.backoffUs * 2 ** repeats;
    post.timer = after(this.#clock, durationUs(delay), () => this.#restart(post));
  }

  #quarantine(post: Post, message: string): void {
    post.state = 'quarantined';
    this.#listener.quarantined(post.core, message);
    post.timer = after(this.#clock, this.#policy.probeAfterUs, () => {
      post.probationUntil = (this.#clock.now() + this.#policy.withinUs) as InstantUs;
      this.#restart(post);
    });
  }

  #restart(post: Post): void {
    post.restarts += 1;
    this.#startCore(post);
  }

  #blameLoading(post: Post, model: ModelId, message: string): void {
    const losses = (post.lostWhileLoading.get(model) ?? 0) + 1;
    post.lostWhileLoading.set(model, losses);
    if (losses < LOSSES_WHILE_LOADING_MAX) return;
    const text = `loading it took core ${post.core} down ${losses} times; last: ${message}`;
    this.#refuse(post, model, new CoxswainError('MODEL_UNLOADABLE', text));
  }

  #refuse(post: Post, model: ModelId, error: CoxswainError): void {
    post.refused.add(model);
    this.#listener.modelRefused(post.core, model, error);
  }

  #settle(post: Post): void {
    post.isSettled = true;
    this.#onSettled();
  }

  #post(core: CoreId): Post {
    const post = this.#posts.get(core);
    assert(post !== undefined, `core ${core} is supervised`);
    return post;
  }
}

function createPost(core: CoreId, models: readonly ModelSpec[]): Post {
  return {
    core,
    models,
    refused: new Set(),
    activated: new Set(),
    lostWhileLoading: new Map(),
    state: 'starting',
    lossesAt: [],
    restarts: 0,
    probationUntil: undefined,
    loading: undefined,
    timer: undefined,
    isSettled: false,
  };
}
