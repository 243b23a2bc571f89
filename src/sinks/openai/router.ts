import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provenance } from '../../core/proposal.ts';
import { createBearerCheck } from './bearer-token.ts';
import { parseChatRequest } from './chat-request.ts';
import { isOwnHost } from './host-check.ts';
import { readJsonBody } from './json-body.ts';
import { modelEntry, modelList } from './model-list.ts';
import { type BodyBudget, type RequestBody, readRequestBody } from './request-body.ts';
import { sendError, sendJson } from './send.ts';
import type { ServedModel, ServedRequest } from './served-model.ts';
import { joinService, readServiceHeaders } from './service-headers.ts';
import {
  badRequest,
  bodyTooLarge,
  crowded,
  forbiddenHost,
  invalidRequest,
  modelNotFound,
  notFound,
  stoppingSoon,
  unauthorized,
  type WireError,
  wrongMedia,
  wrongMethod,
} from './wire-error.ts';

export interface RouterOptions {
  readonly token: string | undefined;
  readonly provenance: Provenance;
  readonly requestBytesMax: number;
}

export interface RouterDeps {
  readonly models: readonly ServedModel[];
  readonly isReady: () => boolean;
  readonly isDraining: () => boolean;
  readonly ask: (request: ServedRequest, model: ServedModel, response: ServerResponse) => void;
}

export type Route = (request: IncomingMessage, response: ServerResponse) => void;

/** So many of the longest bodies can come in at once. */
const BODIES_AT_ONCE = 16;
/** Of these a request that has two means neither, or somebody between reads another one than we do. */
const ONCE = [
  'authorization',
  'content-type',
  'content-length',
  'host',
  'x-coxswain-deadline-ms',
  'x-coxswain-criticality',
  'x-coxswain-conversation',
  'x-coxswain-provenance',
];

/** The rest of what is on its way is not worth waiting for. */
const CLOSE = { connection: 'close' };

/** From a request to what answers it. */
export function createRouter({ token, provenance, requestBytesMax }: RouterOptions, deps: RouterDeps): Route {
  const isRight = token === undefined ? undefined : createBearerCheck(token);
  const budget: BodyBudget = { bytesLeft: BODIES_AT_ONCE * requestBytesMax };
  const answering = new WeakSet<object>();

  const chat: Route = (request, response) => {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return sendError(response, refusal, CLOSE);
    const header = readServiceHeaders(request.headers);
    if (header.kind === 'refused') return sendError(response, invalidRequest(header.param, header.message), CLOSE);
    readRequestBody(request, requestBytesMax, budget, (body) => {
      const bytes = bytesOf(body, response, requestBytesMax);
      if (bytes === undefined) return;
      const json = readJsonBody(bytes);
      if (json.kind === 'refused') return sendError(response, invalidRequest(null, json.message));
      const parsed = parseChatRequest(json.value);
      if (parsed.kind === 'refused') return sendError(response, invalidRequest(parsed.param, parsed.message));
      const model = deps.models.find(({ id }) => id === parsed.request.model);
      if (model === undefined) return sendError(response, notServed(parsed.request.model));
      deps.ask({ ...parsed.request, ...joinService(provenance, header.service, parsed.request.service) }, model, response);
    });
  };

  const notServed = (name: string): WireError =>
    modelNotFound(
      name,
      deps.models.map(({ id }) => id),
    );

  const models = (path: string, response: ServerResponse): void => {
    if (path === '/v1/models') return sendJson(response, 200, modelList(deps.models));
    const name = decoded(path.slice('/v1/models/'.length));
    const model = deps.models.find(({ id }) => id === name);
    if (model === undefined) return sendError(response, notServed(name));
    sendJson(response, 200, modelEntry(model));
  };

  return (request, response) => {
    const { method = '', url = '' } = request;
    const path = url.split('?', 1)[0] ?? '';
    const isRead = method === 'GET' || method === 'HEAD';
    const refuse = (error: WireError, headers: Readonly<Record<string, string>> = {}) =>
      sendError(response, error, { ...CLOSE, ...headers });
    // Before anything else, and without a token: who watches over the process has none, and learns nothing else.
    if (path === '/livez' || path === '/readyz') {
      if (!isRead) return refuse(wrongMethod(method, 'GET'), { allow: 'GET, HEAD' });
      const isWell = path === '/livez' || deps.isReady();
      return sendJson(response, isWell ? 200 : 503, { status: isWell ? 'ok' : 'not ready' }, { 'cache-control': 'no-store' });
    }
    const twice = ONCE.find((name) => (request.headersDistinct[name]?.length ?? 0) > 1);
    if (twice !== undefined) return refuse(badRequest(`The header ${twice} is there more than once; send it once.`));
    if (isRight === undefined ? !isOwnHost(request.headers.host) : !isRight(request.headers.authorization))
      return isRight === undefined ? refuse(forbiddenHost()) : refuse(unauthorized(), { 'www-authenticate': 'Bearer' });
    // Answers on one connection come one after the other; nobody who asks ahead is served.
    if (answering.has(request.socket)) return refuse(badRequest('Wait for an answer before the next request on its connection.'));
    if (deps.isDraining()) return refuse(stoppingSoon());
    if (path === '/v1/chat/completions') {
      if (method !== 'POST') return refuse(wrongMethod(method, 'POST'), { allow: 'POST' });
      const { socket } = request;
      answering.add(socket);
      response.once('close', () => answering.delete(socket));
      return chat(request, response);
    }
    if (path === '/v1/models' || path.startsWith('/v1/models/'))
      return isRead ? models(path, response) : refuse(wrongMethod(method, 'GET'), { allow: 'GET, HEAD' });
    refuse(notFound(path));
  };
}

/** What can be told without the body. */
function refusalOf({ headers }: IncomingMessage): WireError | undefined {
  const media = headers['content-type'] ?? '';
  // Anything else a page in a browser could send without asking first.
  if (!/^application\/json *(; *charset="?utf-8"? *)?$/iu.test(media)) return wrongMedia(media);
  const encoding = headers['content-encoding'] ?? 'identity';
  return encoding === 'identity' ? undefined : wrongMedia(`${media}, ${encoding}`);
}

/** Undefined when there is nothing to go on with; the client knows then. */
function bytesOf(body: RequestBody, response: ServerResponse, bytesMax: number): Buffer | undefined {
  switch (body.kind) {
    case 'bytes':
      return body.bytes;
    case 'too-large':
      sendError(response, bodyTooLarge(bytesMax), CLOSE);
      return undefined;
    case 'no-room':
      sendError(response, crowded('There are too many long requests at once.'), CLOSE);
      return undefined;
    case 'gone':
      return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
