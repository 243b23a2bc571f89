import { durationFromMs, durationUs } from '../core/units.ts';
import { convertSecret, givenText } from './convert-secret.ts';
import type { LoadScope } from './load-scope.ts';
import type { MqttSection } from './mqtt-schema.ts';
import type { BrokerConfig, MqttConfig } from './runtime-config.ts';

export function convertMqtt(section: MqttSection, node: string, scope: LoadScope): MqttConfig {
  const { reconnectDelayMs, reconnectDelayMaxMs } = section;
  if (reconnectDelayMaxMs < reconnectDelayMs) {
    scope.refuse(['mqtt', 'reconnectDelayMaxMs'], `got ${reconnectDelayMaxMs}; allowed is reconnectDelayMs (${reconnectDelayMs}) or more`);
  }
  return {
    broker: convertBroker(section, scope),
    prefix: section.prefix,
    clientId: section.clientId ?? `coxswain-${node}`,
    username: section.username === undefined ? undefined : givenText(scope.interpolated(['mqtt', 'username'], section.username)),
    password: section.password === undefined ? undefined : convertSecret(['mqtt', 'password'], section.password, scope),
    keepAliveUs: durationFromMs(section.keepAliveMs),
    connectTimeoutUs: durationFromMs(section.connectTimeoutMs),
    reconnectDelayUs: durationFromMs(reconnectDelayMs),
    reconnectDelayMaxUs: durationFromMs(reconnectDelayMaxMs),
    outbox: section.outbox,
    inboundBytesMax: section.inboundBytesMax,
    telemetryHz: section.telemetryHz,
    telemetryPeriodUs: durationUs(Math.round(1_000_000 / section.telemetryHz)),
  };
}

function convertBroker(section: MqttSection, scope: LoadScope): BrokerConfig {
  if (section.broker === 'none') return { kind: 'none' };
  if (section.broker === 'embedded') return { kind: 'embedded', port: section.port };
  const refuse = (text: string): BrokerConfig => {
    scope.refuse(['mqtt', 'broker'], text);
    return { kind: 'none' };
  };
  const written = scope.interpolated(['mqtt', 'broker'], section.broker);
  if (written === '') return { kind: 'none' };
  const url = URL.canParse(written) ? new URL(written) : undefined;
  const isBare = url !== undefined && ['', '/'].includes(url.pathname) && url.search === '' && url.hash === '';
  if (url === undefined || !['mqtt:', 'mqtts:'].includes(url.protocol) || url.hostname === '' || !isBare) {
    return refuse('got something else; allowed are embedded, none, mqtt://host:port and mqtts://host:port');
  }
  if (url.username !== '' || url.password !== '')
    return refuse('got an address with a user or a password; put them into username and password');
  return { kind: 'external', url: `${url.protocol}//${url.host}` };
}
