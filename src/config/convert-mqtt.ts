import { messageOf } from '../core/errors.ts';
import { durationFromMs, durationUs } from '../core/units.ts';
import type { LoadScope } from './load-scope.ts';
import type { MqttSection } from './mqtt-schema.ts';
import { printable } from './problem.ts';
import type { BrokerConfig, MqttConfig } from './runtime-config.ts';
import { Secret } from './secret.ts';

/** MQTT's own limit for user name and password. */
const CREDENTIAL_BYTES_MAX = 65_535;

export function convertMqtt(section: MqttSection, node: string, scope: LoadScope): MqttConfig {
  const { reconnectDelayMs, reconnectDelayMaxMs } = section;
  if (reconnectDelayMaxMs < reconnectDelayMs) {
    scope.refuse(['mqtt', 'reconnectDelayMaxMs'], `got ${reconnectDelayMaxMs}; allowed is reconnectDelayMs (${reconnectDelayMs}) or more`);
  }
  return {
    broker: convertBroker(section, scope),
    prefix: section.prefix,
    clientId: section.clientId ?? `coxswain-${node}`,
    username: section.username === undefined ? undefined : given(scope.interpolated(['mqtt', 'username'], section.username)),
    password: section.password === undefined ? undefined : convertPassword(section.password, scope),
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

/** An empty value is none, so that one file serves brokers with and without users: `${USER:-}`. */
const given = (text: string): string | undefined => (text === '' ? undefined : text);

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

/** No message from here on may hold the value. */
function convertPassword(written: string, scope: LoadScope): Secret | undefined {
  const text = scope.interpolated(['mqtt', 'password'], written);
  const value = given(text.startsWith('file:') ? readSecret(text.slice('file:'.length), scope) : text);
  return value === undefined ? undefined : new Secret(value);
}

function readSecret(path: string, scope: LoadScope): string {
  try {
    const bytes = scope.deps.files.read(scope.absolute(path), CREDENTIAL_BYTES_MAX);
    // Editors and `echo` end a file with a line end that is not meant.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (thrown) {
    scope.refuse(['mqtt', 'password'], `the secret cannot be read: ${printable(messageOf(thrown))}`);
    return '';
  }
}
