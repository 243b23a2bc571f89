import type { RuntimeConfig } from '../../config/runtime-config.ts';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import type { CliDeps } from '../cli-deps.ts';
import { readEvents } from '../event-stream.ts';
import { EXIT, UsageError } from '../exit-code.ts';
import { escapeLines, escapeText } from '../terminal-text.ts';

export interface AskOptions {
  readonly text: string;
  /** Of a running server; undefined: as the configuration says. */
  readonly url: string | undefined;
  readonly config: string;
  /** A pipeline with an assistant, or a language model. */
  readonly model: string;
  /** Turns of one name follow each other; empty: it stands for itself. */
  readonly conversation: string;
  /** Undefined: as the configuration says. */
  readonly token: string | undefined;
  readonly isJson: boolean;
}

export interface AskDeps extends Pick<CliDeps, 'out' | 'err' | 'onSignal'> {
  readonly loadConfig: (file: string) => RuntimeConfig | Promise<RuntimeConfig>;
  readonly fetch: typeof fetch;
}

/** One event of the stream, as far as it is read here; all of it is somebody else's. */
interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
  readonly coxswain?: { readonly notes?: readonly unknown[] };
  readonly error?: { readonly message?: string; readonly code?: string };
  readonly usage?: unknown;
  readonly timings?: unknown;
}

/**
 * Asks a runtime that runs and prints the answer as it comes, then what became of its calls. 1 when nobody listens there or the request is refused; Ctrl-C breaks the answer off. Errors:
 * CONFIG_INVALID, FILE_UNREADABLE, UsageError.
 */
export async function ask(options: AskOptions, deps: AskDeps): Promise<number> {
  const { url, token } = await placeOf(options, deps);
  const stop = new AbortController();
  const leave = deps.onSignal(() => stop.abort());
  try {
    return await converse(options, { url, token, signal: stop.signal }, deps);
  } catch (thrown) {
    if (stop.signal.aborted) return EXIT.fine;
    if (thrown instanceof UsageError || thrown instanceof CoxswainError) throw thrown;
    const cause = thrown instanceof Error && thrown.cause !== undefined ? messageOf(thrown.cause) : messageOf(thrown);
    deps.err.write(`coxswain: nobody answers at ${url} (${escapeText(cause)}); start it with npm start, or name another --url\n`);
    return EXIT.findings;
  } finally {
    leave();
  }
}

interface Place {
  readonly url: string;
  readonly token: string | undefined;
}

async function placeOf({ url, token, config: file }: AskOptions, deps: AskDeps): Promise<Place> {
  if (url !== undefined) {
    if (!/^https?:\/\/[^\s/]+\/?$/u.test(url)) throw new UsageError(`--url ${url} is no address; allowed is http://host:port`);
    return { url: url.replace(/\/$/u, ''), token };
  }
  const { http } = await deps.loadConfig(file);
  if (http === undefined || http.port === 0)
    throw new UsageError(`${file} says no fixed http.port; say where the runtime listens with --url, as it printed it`);
  return { url: `http://${http.host.includes(':') ? `[${http.host}]` : http.host}:${http.port}`, token: token ?? http.token?.reveal() };
}

async function converse(
  { text, model, conversation, isJson }: AskOptions,
  { url, token, signal }: Place & { readonly signal: AbortSignal },
  { fetch, out, err }: AskDeps,
): Promise<number> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({
      ...{ model, messages: [{ role: 'user', content: text }], stream: !isJson },
      ...(conversation === '' ? {} : { coxswain: { conversation } }),
    }),
    signal,
  });
  if (!response.ok || isJson) {
    const body = await response.text();
    if (!response.ok) {
      err.write(`coxswain: ${escapeLines(refusalOf(body, response))}\n`);
      return EXIT.findings;
    }
    out.write(`${body.trim()}\n`);
    return EXIT.fine;
  }
  const notes: unknown[] = [];
  let hasText = false;
  for await (const data of readEvents(response.body)) {
    const chunk = JSON.parse(data) as Chunk;
    if (chunk.error !== undefined) {
      err.write(`${hasText ? '\n' : ''}coxswain: ${escapeLines(chunk.error.message ?? 'the answer broke off')}\n`);
      return EXIT.findings;
    }
    notes.push(...(chunk.coxswain?.notes ?? []));
    const said = chunk.choices?.[0]?.delta?.content ?? '';
    hasText ||= said !== '';
    if (said !== '') out.write(escapeLines(said));
  }
  if (hasText) out.write('\n');
  for (const note of notes) out.write(`${escapeText(noteText(note))}\n`);
  return EXIT.fine;
}

function refusalOf(body: string, { status, headers }: Response): string {
  const wait = headers.get('retry-after');
  try {
    const { error } = JSON.parse(body) as Chunk;
    if (error?.message !== undefined) return `${error.message}${wait === null ? '' : ` Ask again in ${wait} s.`}`;
  } catch {
    // Somebody else's server, which speaks no JSON.
  }
  return `the server answered with status ${status}`;
}

/** `set_seat_heating {"seat":"driver","level":2}: achieved` */
function noteText(note: unknown): string {
  const { proposal, outcome } = note as {
    readonly proposal?: { readonly name?: string; readonly arguments?: unknown };
    readonly outcome?: { readonly kind?: string; readonly reason?: string; readonly detail?: string };
  };
  const why = [outcome?.reason, outcome?.detail].filter((part) => part !== undefined && part !== '').join(': ');
  return `[${proposal?.name} ${JSON.stringify(proposal?.arguments)}: ${outcome?.kind}${why === '' ? '' : ` (${why})`}]`;
}
