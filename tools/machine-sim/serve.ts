import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { connect } from 'mqtt';
import { createConfigFiles } from '../../src/config/config-files.ts';
import { loadActions } from '../../src/config/load-actions.ts';
import { messageOf } from '../../src/core/errors.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { ActionDesk, type Answer } from './action-desk.ts';
import { FAULT_HELP, parseFaults } from './faults.ts';
import type { Call, Ended, MachineModel } from './machine-model.ts';

/** What a simulated machine is to the outside. */
export interface Served<S extends { readonly ended: readonly Ended[] }> {
  readonly name: 'vehicle' | 'robot';
  readonly catalogueFile: string;
  /** Its own options, each with a line of help. */
  readonly options: Readonly<Record<string, { readonly standard: string; readonly help: string }>>;
  /** Errors: Error with what is allowed. */
  readonly model: (options: Readonly<Record<string, string>>) => MachineModel<S>;
}

const STEP_MS = 50;
/** Ten reports a second: a gate that calls a second too old has lost nine before it closes. */
const STEPS_PER_REPORT = 2;
const EXIT_USAGE = 2;
const GOODBYE_MS = 1_000;

/** Runs the machine until it is interrupted: takes commands, answers, reports its state. */
export function serve<S extends { readonly ended: readonly Ended[] }>(served: Served<S>): void {
  const given = readOptions(served);
  const catalogue = loadActions(served.catalogueFile, { files: createConfigFiles() });
  const { model, faults } = orUsage(() => ({ model: served.model(given.own), faults: parseFaults(given.faults, catalogue.actions) }));
  const say = (entry: Readonly<Record<string, unknown>>): void => console.log(given.isJson ? JSON.stringify(entry) : lineOf(entry));
  const { topics } = given;
  const [run, actionTopics] = [randomUUID(), `${topics}/action/#`];
  const status = (state: string): string => JSON.stringify({ state, machine: served.name, isSimulated: true });
  const client = connect(given.url, {
    protocolVersion: given.protocolVersion,
    clientId: `${served.name}-sim-${run.slice(0, 8)}`,
    will: { topic: `${topics}/status`, payload: Buffer.from(status('offline')), qos: 1, retain: true },
  });
  let state = model.initial;
  const act = (call: Call): { readonly refusal: string | undefined; readonly ended: readonly Ended[] } => {
    const acted = model.act(state, call);
    if (acted.kind === 'refused') return { refusal: acted.detail, ended: [] };
    state = acted.state;
    return { refusal: undefined, ended: state.ended };
  };
  const answer = ({ to, ...rest }: Answer): void => {
    client.publish(to, JSON.stringify({ ...rest, wallMs: Date.now() }), { qos: 0 });
    say({ kind: 'answer', ...rest });
  };
  const log = (entry: object): void => say({ kind: 'command', ...entry });
  const desk = new ActionDesk(catalogue, faults, { clock: createSystemClock(), act, answer, log });

  client.on('connect', () => {
    say({ kind: 'connected', url: given.url, topics, machine: served.name, isSimulated: true });
    client.subscribe(actionTopics, { qos: 0 });
    client.publish(`${topics}/status`, status('online'), { qos: 1, retain: true });
  });
  client.on('error', (error) => say({ kind: 'trouble', detail: messageOf(error) }));
  client.on('close', () => say({ kind: 'disconnected' }));
  client.on('message', (_topic, payload, { retain }) => desk.receive(payload, retain));

  let steps = 0;
  const ticking = setInterval(() => {
    state = model.step(state, STEP_MS / 1000);
    desk.ended(state.ended);
    steps += 1;
    if (steps % STEPS_PER_REPORT !== 0 || !client.connected) return;
    const values = model.signals(state);
    client.publish(`${topics}/state`, JSON.stringify({ run, sequence: steps, values }), { qos: 0 });
  }, STEP_MS);
  const leave = (): void => {
    clearInterval(ticking);
    client.publish(`${topics}/status`, status('offline'), { qos: 1, retain: true });
    client.end(false, {}, () => process.exit(0));
    setTimeout(() => process.exit(0), GOODBYE_MS).unref();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, leave);
}

interface Given {
  readonly url: string;
  readonly topics: string;
  readonly protocolVersion: 4 | 5;
  readonly faults: readonly string[];
  readonly isJson: boolean;
  readonly own: Readonly<Record<string, string>>;
}

function readOptions<S extends { readonly ended: readonly Ended[] }>({ name, options }: Served<S>): Given {
  const { values } = orUsage(() =>
    parseArgs({
      options: {
        url: { type: 'string', default: 'mqtt://127.0.0.1:1883' },
        topics: { type: 'string', default: `coxswain/${name}` },
        mqtt5: { type: 'boolean', default: false },
        fault: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        ...Object.fromEntries(Object.entries(options).map(([key, { standard }]) => [key, { type: 'string' as const, default: standard }])),
      },
    }),
  );
  if (values.help === true) {
    console.log(helpText(name, options));
    process.exit(0);
  }
  const texts = values as Readonly<Record<string, unknown>>;
  return {
    url: String(values.url),
    topics: String(values.topics),
    protocolVersion: values.mqtt5 === true ? 5 : 4,
    faults: (texts.fault as string[] | undefined) ?? [],
    isJson: values.json === true,
    own: Object.fromEntries(Object.keys(options).map((key) => [key, String(texts[key])])),
  };
}

function helpText(name: string, options: Readonly<Record<string, { readonly standard: string; readonly help: string }>>): string {
  const own = Object.entries(options).map(
    ([key, { standard, help }]) => `  --${`${key} <text>`.padEnd(18)}${help}; ${standard} if not given`,
  );
  return [
    `A simulated ${name} that takes actions over MQTT and reports its state. Ctrl-C ends it.`,
    '',
    `usage: npx tsx tools/${name}-sim/main.ts [options]`,
    '',
    '  --url <address>     broker; mqtt://127.0.0.1:1883 if not given',
    `  --topics <prefix>   levels before /action, /answer, /state and /status; coxswain/${name} if not given`,
    '  --mqtt5             speak MQTT 5; the embedded broker of Coxswain speaks 3.1.1 only',
    ...own,
    `  --fault <fault>     break it: ${FAULT_HELP}; may be given several times`,
    '  --json              one JSON object a line',
    '  -h, --help          this text',
  ].join('\n');
}

function orUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    console.error(`${messageOf(thrown)}\n--help says more`);
    process.exit(EXIT_USAGE);
  }
}

/** Some of what is printed came over the network. */
function lineOf({ kind, ...rest }: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(rest).map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${String(kind).padEnd(12)} ${parts.join('  ')}`.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');
}
