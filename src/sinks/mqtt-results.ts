import type { Observable, Subscription } from 'rxjs';
import type { Clock } from '../core/clock.ts';
import type { Result, UtteranceItem } from '../core/result.ts';
import { elapsedUs, msFromDuration } from '../core/units.ts';
import type { MqttLink } from '../mqtt/link-options.ts';
import { resultPayload } from '../mqtt/payloads.ts';

/**
 * Sends each result to `/result/<pipeline>`, and each finished utterance to `/event/utterance` too. Windows without an utterance are not sent: thirty
 * probabilities a second are telemetry, not news.
 */
export function sendResults(
  results: Observable<Result>,
  options: { readonly node: string },
  deps: { readonly clock: Clock; readonly link: MqttLink },
): Subscription {
  const { node } = options;
  const { clock, link } = deps;
  return results.subscribe((result) => {
    const utterances = result.items.filter((item) => item.kind === 'utterance');
    const isSound = result.items.some((item) => item.kind === 'speech' || item.kind === 'utterance');
    if (!isSound || utterances.length > 0) link.publish({ kind: 'result', payload: resultPayload(result, node, clock.wallMs()) });
    for (const utterance of utterances) link.publish({ kind: 'event', payload: utteranceEvent(result, utterance, node, clock) });
  });
}

function utteranceEvent(result: Result, utterance: UtteranceItem, node: string, clock: Clock) {
  const durationMs = msFromDuration(elapsedUs(utterance.startsAt, utterance.endsAt));
  return {
    node,
    kind: 'utterance',
    wallMs: clock.wallMs(),
    atUs: clock.now(),
    severity: 'info',
    message: `${(durationMs / 1000).toFixed(2)} s of speech from "${result.source}"`,
    data: { pipeline: result.pipeline, source: result.source, startsAtUs: utterance.startsAt, durationMs, score: utterance.score },
  } as const;
}
