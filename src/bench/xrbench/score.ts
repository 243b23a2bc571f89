/** One frame of a model as XRBench logs it. */
export interface FrameLog {
  readonly model: string;
  readonly frame: number;
  /** Undefined when it was dropped. */
  readonly core: number | undefined;
  readonly injectedMs: number;
  readonly dispatchedMs: number;
  readonly deadlineMs: number;
  readonly completedMs: number;
  readonly energyMj: number;
}

export interface ModelScore {
  readonly model: string;
  /** Mean of RT over the executed frames; 0 when there are none, as for `energy`. */
  readonly realTime: number;
  readonly energy: number;
  readonly qoe: number;
  /** 0..1 */
  readonly score: number;
  readonly executed: number;
  readonly late: number;
  readonly dropped: number;
}

export interface Score {
  /** 0..100 */
  readonly overall: number;
  readonly models: readonly ModelScore[];
}

/** Per millisecond that a result is late. */
const STEEPNESS = 15;
/** A job that takes this much is worth nothing. */
export const ENERGY_MAX_MJ = 1_500;

/**
 * XRBench v0.1: RT = 1 / (1 + exp(15 (completion - deadline))), EN = (1500 - energy) / 1500, QoE = 1 - dropped / logged,
 * score(model) = sum of RT EN over executed frames / logged * QoE, overall = 100 times the mean over the models with a log.
 * @param models that the scenario has; as published, one without any logged frame does not count
 */
export function scoreOf(models: readonly string[], log: readonly FrameLog[]): Score {
  const scores = models.map((model) =>
    scoreModel(
      model,
      log.filter((frame) => frame.model === model),
    ),
  );
  const logged = scores.filter(({ executed, dropped }) => executed + dropped > 0);
  const sum = logged.reduce((total, { score }) => total + score, 0);
  return { overall: logged.length === 0 ? 0 : (100 * sum) / logged.length, models: scores };
}

function scoreModel(model: string, log: readonly FrameLog[]): ModelScore {
  const ran = log.filter(({ core }) => core !== undefined);
  const dropped = log.length - ran.length;
  let realTimeSum = 0;
  let energySum = 0;
  let valueSum = 0;
  for (const frame of ran) {
    const realTime = 1 / (1 + Math.exp(STEEPNESS * (frame.completedMs - frame.deadlineMs)));
    const energy = (ENERGY_MAX_MJ - frame.energyMj) / ENERGY_MAX_MJ;
    realTimeSum += realTime;
    energySum += energy;
    valueSum += realTime * energy;
  }
  const qoe = log.length === 0 ? 0 : 1 - dropped / log.length;
  return {
    model,
    realTime: ran.length === 0 ? 0 : realTimeSum / ran.length,
    energy: ran.length === 0 ? 0 : energySum / ran.length,
    qoe,
    score: log.length === 0 ? 0 : (valueSum / log.length) * qoe,
    executed: ran.length,
    late: ran.filter(({ completedMs, deadlineMs }) => completedMs > deadlineMs).length,
    dropped,
  };
}
