import { CoxswainError } from '../core/errors.ts';

type BrokerProtocol = 'mqtt' | 'mqtts' | 'ws' | 'wss';

export interface BrokerUrl {
  readonly protocol: BrokerProtocol;
  readonly host: string;
  readonly port: number;
  /** Of ws and wss; `/` otherwise. */
  readonly path: string;
}

/** mqtt and mqtts as registered with IANA, ws and wss as HTTP. */
const DEFAULT_PORTS: Readonly<Record<BrokerProtocol, number>> = { mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 };

const isBrokerProtocol = (text: string): text is BrokerProtocol => Object.hasOwn(DEFAULT_PORTS, text);

/**
 * Parses `mqtt://host[:port]`, `mqtts://`, `ws://host[:port]/path` or `wss://`. A message about a bad URL never repeats it, since it may hold a password.
 * Errors: CONFIG_INVALID.
 */
export function parseBrokerUrl(text: string): BrokerUrl {
  const invalid = (problem: string): CoxswainError =>
    new CoxswainError('CONFIG_INVALID', `the MQTT broker URL ${problem}; write mqtt://host:1883, mqtts://host:8883 or ws://host:port/path`);
  if (!URL.canParse(text)) throw invalid('cannot be parsed');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') throw invalid('holds a user name or password, which belong in options of their own');
  const protocol = url.protocol.slice(0, -1);
  if (!isBrokerProtocol(protocol)) throw invalid(`has the unknown scheme ${JSON.stringify(protocol.slice(0, 16))}`);
  if (url.hostname === '') throw invalid('has no host');
  const isWebSocket = protocol === 'ws' || protocol === 'wss';
  if (!isWebSocket && !['', '/'].includes(url.pathname)) throw invalid('has a path, which only ws and wss know');
  if (url.search !== '' || url.hash !== '') throw invalid('has a query or a fragment');
  return {
    protocol,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORTS[protocol] : Number(url.port),
    path: url.pathname === '' ? '/' : url.pathname,
  };
}

/** For people: the URL without anything secret. */
export const brokerUrlText = ({ protocol, host, port, path }: BrokerUrl): string =>
  `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}${path === '/' ? '' : path}`;
