import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { after, type Clock } from '../../core/clock.ts';
import { createDeferred } from '../../core/deferred.ts';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import type { HttpSettings } from '../../core/http-settings.ts';
import type { DurationUs } from '../../core/units.ts';
import { ChatExchange } from './chat-exchange.ts';
import { createRouter, type Route } from './router.ts';
import { rawError, sendError } from './send.ts';
import type { ServedModel, ServedRequest } from './served-model.ts';
import { turnAway } from './turn-away.ts';
import { badRequest, starting, stoppingSoon } from './wire-error.ts';

export type OpenAiServerOptions = HttpSettings<string>;

export interface OpenAiServerDeps {
  readonly clock: Clock;
  /** By name; the first of a name counts. */
  readonly models: readonly ServedModel[];
  /** Whether answers can be given, for `/readyz`. */
  readonly isReady: () => boolean;
  /** Something that the operator should know. */
  readonly onTrouble: (message: string) => void;
}

export interface OpenAiServer {
  /** `http://host:port`, with the port that it is. */
  readonly url: string;
  /** Answers under way. */
  readonly answerCount: number;
  /** No new requests: 503, and not ready. Resolves when no answer is under way: true; or after this time: false. */
  drain(within: DurationUs): Promise<boolean>;
  /** Breaks off what is under way and closes every connection. */
  close(): Promise<void>;
}

/** Further connections at once that are told to come again later, some kilobytes each; whoever comes beyond is cut off without a word. */
const TURNED_AWAY_MAX = 10_000;
const HEADER_BYTES_MAX = 16_384;
const HEADERS_MAX = 100;
/** A connection on which nothing was asked for so long is closed. */
const IDLE_MS = 5_000;
/** How often timeouts are looked at. */
const CHECK_MS = 1_000;

/** Starts the server. Errors: HTTP_UNAVAILABLE. */
export async function createOpenAiServer(options: OpenAiServerOptions, deps: OpenAiServerDeps): Promise<OpenAiServer> {
  const server = new RunningServer(options, deps);
  await server.listen();
  return server;
}

class RunningServer implements OpenAiServer {
  readonly #options: OpenAiServerOptions;
  readonly #deps: OpenAiServerDeps;
  readonly #server: Server;
  readonly #exchanges = new Set<ChatExchange>();
  readonly #firstMs: number;
  #url = '';
  #asked = 0;
  #isDraining = false;
  #onIdle: () => void = () => undefined;

  constructor(options: OpenAiServerOptions, deps: OpenAiServerDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#firstMs = Math.floor(deps.clock.wallMs());
    const timeoutMs = Math.ceil(options.requestTimeoutUs / 1000);
    const route = createRouter(options, {
      models: deps.models,
      isReady: () => !this.#isDraining && deps.isReady(),
      isDraining: () => this.#isDraining,
      ask: (request, model, response) => this.#ask(request, model, response),
    });
    this.#server = createServer(
      {
        headersTimeout: timeoutMs,
        requestTimeout: timeoutMs,
        keepAliveTimeout: IDLE_MS,
        connectionsCheckingInterval: Math.min(CHECK_MS, timeoutMs),
        maxHeaderSize: HEADER_BYTES_MAX,
        noDelay: true,
      },
      (request, response) => this.#serve(route, request, response),
    );
    this.#server.maxHeadersCount = HEADERS_MAX;
    this.#server.maxConnections = options.connectionsMax + TURNED_AWAY_MAX;
    this.#server.on('clientError', refuseClient);
    limitConnections(this.#server, options, deps.clock);
  }

  get url(): string {
    return this.#url;
  }

  get answerCount(): number {
    return this.#exchanges.size;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    const listening = createDeferred<void>();
    const fail = (cause: unknown) =>
      listening.reject(
        new CoxswainError(
          'HTTP_UNAVAILABLE',
          `HTTP cannot listen on ${host}, port ${port}: ${messageOf(cause)}. Set http.host and http.port to an address of this machine that is free.`,
          { cause },
        ),
      );
    this.#server.once('error', fail);
    this.#server.listen({ host, port, backlog: 1_024 }, () => listening.resolve());
    await listening.promise;
    this.#server.off('error', fail);
    const { address, family, port: taken } = this.#server.address() as AddressInfo;
    this.#url = `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`;
    this.#server.on('error', (error) => this.#deps.onTrouble(`HTTP: ${messageOf(error)}`));
  }

  async drain(within: DurationUs): Promise<boolean> {
    this.#isDraining = true;
    const idle = createDeferred<boolean>();
    const timeout = after(this.#deps.clock, within, () => idle.resolve(false));
    this.#onIdle = () => {
      if (this.#exchanges.size === 0) idle.resolve(true);
    };
    this.#onIdle();
    const isIdle = await idle.promise;
    timeout.cancel();
    return isIdle;
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    for (const exchange of [...this.#exchanges]) exchange.breakOff();
    const closed = createDeferred<void>();
    this.#server.close(() => closed.resolve());
    this.#server.closeAllConnections();
    await closed.promise;
  }

  #serve(route: Route, request: IncomingMessage, response: ServerResponse): void {
    this.#asked += 1;
    response.setHeader('x-request-id', this.#idOf('req'));
    if (this.#isDraining) response.setHeader('connection', 'close');
    try {
      route(request, response);
    } catch (thrown) {
      this.#deps.onTrouble(`an HTTP request could not be served: ${messageOf(thrown)}`);
      response.destroy();
    }
  }

  #ask(request: ServedRequest, model: ServedModel, response: ServerResponse): void {
    if (this.#isDraining) return sendError(response, stoppingSoon());
    if (!this.#deps.isReady()) return sendError(response, starting());
    const createdS = Math.floor(this.#deps.clock.wallMs() / 1000);
    const exchange = new ChatExchange(request, this.#options, {
      clock: this.#deps.clock,
      response,
      head: { id: this.#idOf('chatcmpl'), createdS, model: model.id },
      onTrouble: this.#deps.onTrouble,
    });
    this.#exchanges.add(exchange);
    response.once('close', () => {
      this.#exchanges.delete(exchange);
      this.#onIdle();
    });
    exchange.begin(model);
  }

  /** Unique over restarts. */
  #idOf(kind: string): string {
    return `${kind}-${this.#firstMs.toString(36)}-${this.#asked.toString(36)}`;
  }
}

/** Beyond the bound nothing is parsed any more; whoever comes is told so. */
function limitConnections(server: Server, { connectionsMax, requestTimeoutUs }: OpenAiServerOptions, clock: Clock): void {
  const own = server.listeners('connection') as ((socket: Socket) => void)[];
  let count = 0;
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (count >= connectionsMax) return turnAway(socket, requestTimeoutUs, clock);
    count += 1;
    socket.once('close', () => {
      count -= 1;
    });
    for (const listener of own) listener.call(server, socket);
  });
}

/** What could not be read as HTTP, or not in time. */
function refuseClient(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const [status, reason, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large', `The headers are longer than ${HEADER_BYTES_MAX} bytes.`]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout', 'The request did not come in whole in time. Send it at once.']
        : [400, 'Bad Request', 'This is not an HTTP request that can be read.'];
  socket.end(rawError(badRequest(message, status), reason), () => socket.destroy());
}
