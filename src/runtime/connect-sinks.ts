import { map, Subscription } from 'rxjs';
import type { RuntimeConfig } from '../config/runtime-config.ts';
import type { TurnTranscript } from '../core/turn-transcript.ts';
import type { MqttLink } from '../mqtt/link-options.ts';
import { printResults } from '../sinks/console-results.ts';
import { sendResults } from '../sinks/mqtt-results.ts';
import { turnEvent, turnLines } from '../sinks/turn-transcripts.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { AssembledPipeline } from './assemble.ts';
import type { MqttService } from './mqtt-service.ts';
import type { RuntimeDeps } from './runtime.ts';

/** Every pipeline's results are counted, and go where its `sinks` say. */
export function connectSinks(
  config: RuntimeConfig,
  pipelines: readonly AssembledPipeline[],
  parts: { readonly deps: RuntimeDeps; readonly telemetry: Telemetry; readonly mqtt: MqttService },
): Subscription {
  const { deps, telemetry, mqtt } = parts;
  const subscriptions = new Subscription();
  for (const { pipeline, config: section } of pipelines) {
    const results = pipeline.results.pipe(map(({ result }) => result));
    subscriptions.add(results.subscribe((result) => telemetry.detections.record(result)));
    if (section.sinks.includes('mqtt') && mqtt.link !== undefined) {
      subscriptions.add(sendResults(results, { node: config.node }, { clock: deps.clock, link: mqtt.link }));
    }
    if (section.sinks.includes('console') && deps.print !== undefined) subscriptions.add(printResults(results, deps.print));
  }
  return subscriptions;
}

/** To where the sinks of its pipeline say. */
export function tellTurn(
  turn: TurnTranscript,
  { config, deps, link }: { readonly config: RuntimeConfig; readonly deps: RuntimeDeps; readonly link: MqttLink | undefined },
): void {
  const sinks = config.pipelines.find(({ id }) => id === turn.assistant)?.sinks ?? [];
  if (sinks.includes('mqtt')) link?.publish({ kind: 'event', payload: turnEvent(turn, config.node, deps.clock) });
  if (sinks.includes('console')) for (const line of turnLines(turn)) deps.print?.(line);
}
