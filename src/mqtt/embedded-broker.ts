import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { CoxswainError, messageOf } from '../core/errors.ts';
import { GuardedStream } from './guarded-stream.ts';
import { PacketGuard } from './packet-guard.ts';

export interface EmbeddedBrokerOptions {
  /** Only this machine: the broker knows no users. */
  readonly host: '127.0.0.1';
  /** A free one when 0 or absent. */
  readonly port?: number;
  readonly connectionsMax?: number;
  /** Largest remaining length of a packet from a client. */
  readonly packetBytesMax?: number;
  /** Topics with a retained message. */
  readonly retainedTopicsMax?: number;
}

export interface EmbeddedBroker {
  /** `mqtt://127.0.0.1:<port>`; speaks MQTT 3.1.1 only. */
  readonly url: string;
  readonly port: number;
  readonly connections: number;
  close(): Promise<void>;
}

/** Viewers that stop reading are cut off after this time; until then they hold up the others, and the outbox of the link holds the rest. */
const DRAIN_TIMEOUT_MS = 5000;

/** A connection that says nothing must not keep a place. */
const CONNECT_TIMEOUT_MS = 5000;

/**
 * A broker in this process for dashboards and viewers on the same machine. Sessions end with their connection, so nothing is stored for the absent;
 * connections, packet size, retained topics and the patience with slow readers are bounded.
 * Errors: BROKER_UNREACHABLE when the port cannot be had.
 */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const { host, port = 0, connectionsMax = 32, packetBytesMax = 1024 * 1024, retainedTopicsMax = 256 } = options;
  const aedes = await Aedes.createBroker({
    drainTimeout: DRAIN_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    preConnect: (_client, packet, onEnd) => {
      // A stored session would queue without bound for a client that never returns.
      packet.clean = true;
      onEnd(null, true);
    },
    authorizePublish: retainedTopicLimit(retainedTopicsMax),
  });
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const stream = new GuardedStream(socket, new PacketGuard({ bytesMax: packetBytesMax }), socket.writableHighWaterMark);
    // Its closing tells aedes all it needs; a broken client is no fault of ours.
    stream.on('error', () => socket.destroy());
    aedes.handle(stream);
  });
  server.maxConnections = connectionsMax;
  try {
    await listen(server, host, port);
  } catch (error) {
    await closeAedes(aedes);
    throw new CoxswainError(
      'BROKER_UNREACHABLE',
      `the embedded broker cannot listen on ${host}:${port} (${messageOf(error)}); use port 0 for a free one`,
      {
        cause: error,
      },
    );
  }
  const address = server.address();
  const boundPort = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `mqtt://${host}:${boundPort}`,
    port: boundPort,
    get connections() {
      return sockets.size;
    },
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await closeAedes(aedes);
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

type AuthorizePublish = Aedes['authorizePublish'];

function retainedTopicLimit(topicsMax: number): AuthorizePublish {
  const topics = new Set<string>();
  return (_client, packet, onEnd) => {
    if (packet.topic.startsWith('$SYS/')) return onEnd(new Error('$SYS topics are reserved'));
    if (!packet.retain) return onEnd(null);
    if (packet.payload.length === 0) {
      topics.delete(packet.topic);
      return onEnd(null);
    }
    if (!topics.has(packet.topic) && topics.size >= topicsMax) return onEnd(new Error(`more than ${topicsMax} retained topics`));
    topics.add(packet.topic);
    onEnd(null);
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const closeAedes = (aedes: Aedes): Promise<void> => new Promise((resolve) => aedes.close(resolve));
