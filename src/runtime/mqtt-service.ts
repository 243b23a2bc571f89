import type { MqttConfig } from '../config/runtime-config.ts';
import type { Clock } from '../core/clock.ts';
import type { Prng } from '../core/prng.ts';
import type { DurationUs } from '../core/units.ts';
import { startEmbeddedBroker } from '../mqtt/embedded-broker.ts';
import { createMqttLink } from '../mqtt/link.ts';
import { DEFAULT_LINK_LIMITS, type LinkState, type MqttLink } from '../mqtt/link-options.ts';
import type { IncidentLog } from '../telemetry/incident-log.ts';
import type { MqttFigures } from '../telemetry/snapshot.ts';

/** The link, with the broker behind it when that is ours. */
export interface MqttService {
  /** Undefined when no broker is configured. */
  readonly link: MqttLink | undefined;
  figures(): MqttFigures;
  close(within: DurationUs): Promise<void>;
}

export interface MqttServiceDeps {
  readonly clock: Clock;
  readonly prng: Prng;
  readonly incidents: IncidentLog;
  /** Somebody will subscribe. */
  readonly receives?: boolean;
}

const OFF: MqttService = {
  link: undefined,
  figures: () => ({ state: 'off', url: null, published: 0, dropped: {} }),
  close: () => Promise.resolve(),
};

/** Starts connecting and returns; a broker that is not there holds nobody up. Errors: BROKER_UNREACHABLE when the embedded broker's port is taken. */
export async function startMqtt(config: MqttConfig, node: string, deps: MqttServiceDeps): Promise<MqttService> {
  const { broker } = config;
  if (broker.kind === 'none') return OFF;
  const embedded = broker.kind === 'embedded' ? await startEmbeddedBroker({ host: '127.0.0.1', port: broker.port }) : undefined;
  const url = embedded?.url ?? (broker.kind === 'external' ? broker.url : '');
  const link = createMqttLink(
    {
      url,
      protocolVersion: embedded === undefined ? 5 : 4,
      prefix: config.prefix,
      node,
      clientId: config.clientId,
      receives: deps.receives === true,
      ...(config.username === undefined ? {} : { username: config.username }),
      ...(config.password === undefined ? {} : { password: config.password.reveal() }),
      limits: {
        outboxItemsMax: config.outbox.itemsMax,
        outboxBytesMax: config.outbox.bytesMax,
        inboundBytesMax: config.inboundBytesMax,
        connectTimeoutUs: config.connectTimeoutUs,
        keepaliveUs: config.keepAliveUs,
        retry: { baseUs: config.reconnectDelayUs, maxUs: config.reconnectDelayMaxUs },
        messageBytesMax: Math.min(DEFAULT_LINK_LIMITS.messageBytesMax, Math.floor(config.outbox.bytesMax / 2)),
        inFlightItemsMax: Math.min(DEFAULT_LINK_LIMITS.inFlightItemsMax, config.outbox.itemsMax - 1),
      },
    },
    {
      clock: deps.clock,
      prng: deps.prng.fork('mqtt'),
      onState: tellChanges(url, deps.incidents),
      onWarning: (message) => deps.incidents.add({ kind: 'warning', message: `MQTT broker ${url}: ${message}` }),
    },
  );
  return {
    link,
    figures() {
      const stats = link.stats();
      return { state: stats.state, url, published: stats.published, dropped: stats.dropped };
    },
    async close(within) {
      await link.close(within);
      await embedded?.close();
    },
  };
}

/** One incident when the broker is lost and one when it is back, not one for every attempt in between. */
function tellChanges(url: string, incidents: IncidentLog): (state: LinkState) => void {
  let isLost = false;
  return (state) => {
    if (state.kind === 'waiting' && !isLost) {
      isLost = true;
      incidents.add({ kind: 'broker-lost', message: `MQTT broker ${url}: ${state.message}` });
    } else if (state.kind === 'connected' && isLost) {
      isLost = false;
      incidents.add({ kind: 'broker-back', message: `MQTT broker ${url} is back` });
    }
  };
}
