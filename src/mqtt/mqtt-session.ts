import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { type IClientOptions, type IClientPublishOptions, type IConnackPacket, MqttClient } from 'mqtt';
import { streamBuilder as connectWebSocket } from 'mqtt/lib/connect/ws';
import { messageOf } from '../core/errors.ts';
import { GuardError, GuardedStream } from './guarded-stream.ts';
import { PACKET_TYPE, PacketGuard } from './packet-guard.ts';
import type {
  BrokerLimits,
  MessageProperties,
  OpenSession,
  Session,
  SessionEnd,
  SessionEndReason,
  SessionListener,
  SessionRequest,
} from './session.ts';

/** For a link that subscribes to nothing only answers may arrive: a broker that sends anything else would fill memory that nobody empties. */
const ANSWER_TYPES = [PACKET_TYPE.connack, PACKET_TYPE.puback, PACKET_TYPE.pingresp, PACKET_TYPE.disconnect];
const RECEIVER_TYPES = [...ANSWER_TYPES, PACKET_TYPE.publish, PACKET_TYPE.suback];

/** MQTT 5: what was retained is not wanted. */
const NO_RETAINED = 2;

/** Bad method, user name or password, not authorised, banned (MQTT 5); bad user name or password, not authorised (3.1.1 return codes 4 and 5). */
const AUTH_REASON_CODES = new Set([0x86, 0x87, 0x8a, 0x8c, 4, 5]);
const TAKEN_OVER = 0x8e;
const PACKET_TOO_LARGE = 0x95;

/** A WebSocket message is buffered whole before its packets are seen, so its size is bounded too; brokers put several small packets into one. */
const WEB_SOCKET_MESSAGE_BYTES_MIN = 65_536;

/** The largest packet that MQTT can express: four length bytes. */
const PACKET_BYTES_MAX = 268_435_460;

/** Opens one connection with mqtt.js, which neither queues nor reconnects here. */
export const openMqttSession: OpenSession = (request, listener) => new MqttSession(request, listener);

class MqttSession implements Session {
  readonly #listener: SessionListener;
  readonly #client: MqttClient;
  readonly #stream: GuardedStream;
  readonly #protocolVersion: 4 | 5;
  #isConnected = false;
  #isLeaving = false;
  #hasEnded = false;
  /** What the broker said or the stream suffered before it closed: the cause that the closing itself does not tell. */
  #cause: SessionEnd | undefined;

  constructor(request: SessionRequest, listener: SessionListener) {
    this.#listener = listener;
    this.#protocolVersion = request.protocolVersion;
    let stream: GuardedStream | undefined;
    this.#client = new MqttClient((client) => {
      const guard = new PacketGuard({ bytesMax: request.inboundBytesMax, typesAllowed: request.receives ? RECEIVER_TYPES : ANSWER_TYPES });
      stream = new GuardedStream(openSocket(client, request), guard, request.writableBytesMax);
      // First, so that the cause is known before mqtt.js reacts to it.
      stream.on('error', (error) => this.#remember(this.#endOfError(error)));
      return stream;
    }, clientOptions(request));
    if (stream === undefined) throw new Error('mqtt.js did not build its stream');
    this.#stream = stream;
    this.#stream.on('drain', () => {
      if (!this.#hasEnded) listener.writable();
    });
    this.#client.on('connect', (packet) => this.#onConnected(packet));
    // mqtt.js reports a broken packet and goes on; nothing after it can be trusted, so every error ends the session.
    this.#client.on('error', (error) => this.destroy(this.#endOfError(error)));
    // Before mqtt.js keeps anything of it: what is granted with QoS 0 comes with QoS 0, and the other kinds would have to be stored.
    this.#client.on('packetreceive', (packet) => {
      if (packet.cmd === 'publish' && packet.qos !== 0)
        this.destroy({ reason: 'malformed-packet', message: 'a message came with a higher quality of service than was asked for' });
    });
    this.#client.on('message', (topic, payload, packet) => {
      if (!this.#hasEnded) listener.message({ topic, payload, isRetained: packet.retain });
    });
    this.#client.on('disconnect', ({ reasonCode }) => this.#remember(endOfDisconnect(reasonCode ?? 0)));
    this.#client.on('close', () =>
      this.#finish(
        this.#isConnected
          ? { reason: 'closed-by-broker', message: closedMessage(request.clientId) }
          : { reason: 'unreachable', message: 'the connection was closed before the broker answered' },
      ),
    );
  }

  get isWritable(): boolean {
    return !this.#stream.writableNeedDrain && !this.#stream.destroyed;
  }

  publish(
    { topic, payload, qos, isRetained, properties }: Parameters<Session['publish']>[0],
    onAcknowledged: (reasonCode: number) => void,
  ): void {
    if (qos === 0) {
      this.#client.publish(topic, payload, { qos, retain: isRetained, ...this.#propertiesOf(properties) });
      return;
    }
    this.#client.publish(topic, payload, { qos, retain: isRetained }, (error) => {
      if (error === null || error === undefined) return onAcknowledged(0);
      // Without a reason code this is mqtt.js flushing the callbacks of a dead connection: no answer at all.
      const reasonCode = reasonCodeOf(error);
      if (reasonCode !== undefined) onAcknowledged(reasonCode);
    });
  }

  subscribe(topics: readonly string[], onRefused: (message: string) => void): void {
    this.#client.subscribe([...topics], { qos: 0, rh: NO_RETAINED }, (error) => {
      // A connection that ends refuses nothing; its successor asks again.
      if (error !== null && error !== undefined && !this.#hasEnded && this.#client.connected) onRefused(messageOf(error));
    });
  }

  disconnect(): void {
    this.#isLeaving = true;
    this.#client.end(false);
  }

  destroy(end: SessionEnd): void {
    this.#remember(end);
    this.#client.end(true);
    this.#finish(end);
  }

  #propertiesOf(properties: MessageProperties | undefined): Pick<IClientPublishOptions, 'properties'> {
    if (properties === undefined || this.#protocolVersion !== 5) return {};
    const { expirySeconds, responseTopic, correlation } = properties;
    return { properties: { messageExpiryInterval: expirySeconds, responseTopic, correlationData: Buffer.from(correlation) } };
  }

  #onConnected(packet: IConnackPacket): void {
    if (this.#hasEnded) return;
    this.#isConnected = true;
    this.#listener.connected(limitsOf(packet));
  }

  #remember(end: SessionEnd): void {
    this.#cause ??= end;
  }

  #finish(end: SessionEnd): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#listener.ended(this.#isLeaving ? { reason: 'disconnected', message: 'disconnected' } : (this.#cause ?? end));
  }

  #endOfError(error: unknown): SessionEnd {
    const message = messageOf(error);
    if (error instanceof GuardError) {
      return { reason: error.violation.kind === 'oversized' ? 'oversized-packet' : 'malformed-packet', message };
    }
    const reasonCode = reasonCodeOf(error);
    if (reasonCode === PACKET_TOO_LARGE) return { reason: 'oversized-packet', reasonCode, message };
    if (reasonCode !== undefined && !this.#isConnected) {
      return { reason: AUTH_REASON_CODES.has(reasonCode) ? 'auth-refused' : 'refused', reasonCode, message };
    }
    const errno = errnoOf(error);
    if (errno !== undefined) {
      const reason: SessionEndReason = this.#isConnected ? 'closed-by-broker' : 'unreachable';
      return { reason, message: message === '' ? errno : message };
    }
    if (message === 'Keepalive timeout') return { reason: 'keepalive-timeout', message: 'the broker answered no ping' };
    return { reason: 'malformed-packet', message };
  }
}

function openSocket(client: MqttClient, { url, tls, inboundBytesMax, protocolVersion }: SessionRequest): Duplex {
  const { host, port, path, protocol } = url;
  switch (protocol) {
    case 'mqtt':
      return connectTcp({ host, port, noDelay: true });
    case 'mqtts':
      // A name in the handshake must not be an address (RFC 6066); an address is checked against the certificate all the same.
      return connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...tls });
    case 'ws':
    case 'wss':
      return connectWebSocket(client, {
        protocol,
        hostname: host.includes(':') ? `[${host}]` : host,
        port,
        path,
        protocolId: 'MQTT',
        protocolVersion,
        wsOptions: {
          ...tls,
          perMessageDeflate: false,
          maxPayload: Math.max(inboundBytesMax, WEB_SOCKET_MESSAGE_BYTES_MIN),
        },
      }) as Duplex;
  }
}

function clientOptions(request: SessionRequest): IClientOptions {
  const keepalive = Math.max(1, Math.ceil(request.keepaliveUs / 1_000_000));
  return {
    protocolId: 'MQTT',
    protocolVersion: request.protocolVersion,
    clientId: request.clientId,
    clean: true,
    ...(request.username === undefined ? {} : { username: request.username }),
    ...(request.password === undefined ? {} : { password: request.password }),
    keepalive,
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    // The link has its own connect timeout on its own clock; this one must only never come first. The largest delay that a timer takes.
    connectTimeout: 2 ** 31 - 1,
    will: { topic: request.will.topic, payload: Buffer.from(request.will.payload), qos: 1, retain: true },
    ...(request.protocolVersion === 5 ? { properties: { maximumPacketSize: request.inboundBytesMax + 5 } } : {}),
    // Its default formats a line for every step of every packet.
    log: () => undefined,
  };
}

/** MQTT 3.1.1 has no reason to give, and mosquitto 2.0 gives none for a takeover in MQTT 5 either. */
const closedMessage = (clientId: string): string =>
  `the broker closed the connection without a reason; if this repeats, another client may be using the client id ${JSON.stringify(clientId)}`;

function limitsOf({ properties }: IConnackPacket): BrokerLimits {
  return {
    inFlightMax: properties?.receiveMaximum ?? 65_535,
    packetBytesMax: properties?.maximumPacketSize ?? PACKET_BYTES_MAX,
    canRetain: properties?.retainAvailable ?? true,
    qosMax: properties?.maximumQoS === 0 ? 0 : 1,
  };
}

function endOfDisconnect(reasonCode: number): SessionEnd {
  if (reasonCode === TAKEN_OVER) {
    return { reason: 'taken-over', reasonCode, message: 'duplicate client id: another client connected with the same one' };
  }
  const code = `0x${reasonCode.toString(16).padStart(2, '0')}`;
  return { reason: 'closed-by-broker', reasonCode, message: `the broker ended the connection with reason code ${code}` };
}

/** mqtt.js puts reason codes, numbers, where Node puts the names of system errors. */
function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function reasonCodeOf(error: unknown): number | undefined {
  const code = codeOf(error);
  return typeof code === 'number' ? code : undefined;
}

function errnoOf(error: unknown): string | undefined {
  const code = codeOf(error);
  return typeof code === 'string' ? code : undefined;
}
