import type { CoreId, Turn } from './job.ts';
import type { ModelId } from './model.ts';
import type { Criticality, StreamId, TokenContract } from './stream.ts';
import type { DurationUs } from './units.ts';

/** When the requests of a load come. */
export type LoadPattern =
  /** One every `periodUs`, the first after `phaseUs`: a camera. `periodUs` need not be whole; requests come at the nearest microsecond. */
  | { readonly kind: 'uniform'; readonly periodUs: number; readonly phaseUs: number }
  /** Independent of each other, one every `meanUs` on average: events of the world. */
  | { readonly kind: 'poisson'; readonly meanUs: number }
  /** Each of `clients` asks again `thinkUs` after its last answer: as much as can be had. */
  | { readonly kind: 'closed-loop'; readonly clients: number; readonly thinkUs: DurationUs }
  /** At these instants, ascending, counted from the start; again after every `repeatUs`, if given. */
  | { readonly kind: 'trace'; readonly atUs: readonly DurationUs[]; readonly repeatUs: DurationUs | undefined }
  /** `delayUs` after every result of another load: a second model behind the first. */
  | { readonly kind: 'dependent'; readonly after: StreamId; readonly delayUs: DurationUs };

/** One stream of requests of a workload. `background` is best effort: it has a deadline only so that nothing waits for ever. */
export interface Load {
  readonly id: StreamId;
  readonly model: ModelId;
  readonly criticality: Criticality;
  readonly pattern: LoadPattern;
  readonly deadlineUs: DurationUs;
  /** Requests that may wait; one more pushes out the oldest. */
  readonly queueMax: number;
  /** The only cores that may run it; undefined: any. */
  readonly cores: readonly CoreId[] | undefined;
  /** Of a load of a language model: what each request asks, and how fast the answer is wanted. `deadlineUs` is then that of the first token. */
  readonly turn?: Turn;
  readonly tokens?: TokenContract;
}

/** Run time that some loads can count on: Q in every P. */
export interface Reserve {
  readonly id: string;
  readonly loads: readonly StreamId[];
  readonly budgetUs: DurationUs;
  readonly periodUs: DurationUs;
}

/** What a request of a model costs, and where that is known from. */
export type SuiteModel = {
  readonly id: ModelId;
  readonly source: string;
  /** In so many parts of about the same time can a run be interrupted; 1: not at all. */
  readonly blocks: number;
} & (
  | {
      readonly kind: 'network';
      readonly macs: number;
      readonly parameters: number;
      readonly height: number;
      readonly width: number;
      readonly channels: number;
    }
  /** So long on one core of any chip, without memory traffic. */
  | { readonly kind: 'time'; readonly runUs: DurationUs }
  /** A decoder-only language model, whose requests are turns of a conversation. Fields as in its `config.json`. */
  | {
      readonly kind: 'language';
      readonly layers: number;
      readonly hidden: number;
      readonly heads: number;
      readonly kvHeads: number;
      readonly headSize: number | undefined;
      readonly intermediate: number;
      readonly vocabulary: number;
      readonly tiedEmbedding: boolean;
      readonly bits: number;
      readonly kvBits: number;
      /** Prompt tokens of one step. */
      readonly chunkTokens: number;
      /** Most tokens of an answer made in one go. */
      readonly burstTokens: number;
    }
);

export interface Workload {
  readonly id: string;
  readonly about: string;
  readonly loads: readonly Load[];
  /** What the policy `coxswain` keeps for some of them. */
  readonly reserves: readonly Reserve[];
  /** Part of the bus that there is. 0..1 */
  readonly bandwidthRatio: number;
  /** What some loads may move in every period, whatever the policy; undefined: as much as they get. */
  readonly busBudget: { readonly periodUs: DurationUs; readonly bytesByStream: ReadonlyMap<StreamId, number> } | undefined;
}

/** Figures that others measured, elsewhere, by name; never to be mixed with ours. */
export interface PublishedFigures {
  readonly system: string;
  readonly source: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** What can be asked of a load; see LoadFigures of bench/suite. */
export const AIM_FIGURES = [
  ...(['meanMs', 'p99Ms', 'p999Ms', 'maxMs', 'missed', 'lost', 'perSecond', 'slowdownMean', 'slowdownP99'] as const),
  ...(['firstTokenP99Ms', 'tokenMeanMs', 'tokenP99Ms', 'tokensPerSecond', 'slowestTokensPerSecond'] as const),
] as const;
export type AimFigure = (typeof AIM_FIGURES)[number];

/** What the default policy has to reach. */
export interface Aim {
  readonly workload: string;
  readonly load: StreamId;
  readonly figure: AimFigure;
  readonly atMost: number | undefined;
  readonly atLeast: number | undefined;
}

/** A bench suite: workloads, what their models cost, and what is hoped for. Deep-frozen. */
export interface BenchSuite {
  readonly file: string;
  readonly name: string;
  readonly about: string;
  /** Name or file of the profile that it is played on unless another is asked for. */
  readonly soc: string;
  /** Only the chip's first cores take part; undefined: all. */
  readonly coresMax: number | undefined;
  readonly spanUs: DurationUs;
  readonly models: readonly SuiteModel[];
  /** Run times of the same models as somebody measured them, to be taken instead. */
  readonly measured: { readonly source: string; readonly runUs: Readonly<Record<ModelId, DurationUs>> } | undefined;
  readonly workloads: readonly Workload[];
  readonly published: readonly PublishedFigures[];
  readonly aims: readonly Aim[];
}
