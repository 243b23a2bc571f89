import { z } from 'zod';
import type { ActionCatalogue, ActionSpec } from '../../src/core/action.ts';
import { after, type Clock } from '../../src/core/clock.ts';
import { durationFromMs } from '../../src/core/units.ts';
import { checkCall } from '../../src/sinks/action-gate/call-arguments.ts';
import { type Faults, faultOf, wrongValues } from './faults.ts';
import type { Call, Ended } from './machine-model.ts';

/** What goes back for a command. */
export interface Answer {
  readonly to: string;
  readonly id: string;
  readonly state: 'accepted' | 'refused' | 'achieved';
  readonly detail: string;
}

export interface ActionDeskDeps {
  readonly clock: Clock;
  /** Tells the machine; the text is a refusal. What ends at once comes with it. */
  readonly act: (call: Call) => { readonly refusal: string | undefined; readonly ended: readonly Ended[] };
  readonly answer: (answer: Answer) => void;
  /** For people: what came and what was done with it. */
  readonly log: (entry: { readonly id: string; readonly action: string; readonly arguments: unknown; readonly did: string }) => void;
}

const COMMAND_BYTES_MAX = 4_096;
const IDS_MAX = 1_024;

const commandSchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  action: z.string(),
  arguments: z.unknown(),
  issuedWallMs: z.number(),
  expiresWallMs: z.number(),
  answerTo: z.string().regex(/^[A-Za-z0-9_-]{1,64}(\/[A-Za-z0-9_-]{1,64}){0,7}$/),
});
type Command = z.output<typeof commandSchema>;

/**
 * The actuator's side of a command: never twice for one id, never too late, never what its own catalogue does not allow, and an answer for whoever asked.
 * Faults are put in here, so that the machine itself stays whole.
 */
export class ActionDesk {
  readonly #actions: ReadonlyMap<string, ActionSpec>;
  readonly #faults: Faults;
  readonly #deps: ActionDeskDeps;
  /** Where answers go, by id; oldest first. */
  readonly #asked = new Map<string, string>();

  constructor(catalogue: ActionCatalogue, faults: Faults, deps: ActionDeskDeps) {
    this.#actions = new Map(catalogue.actions.map((action) => [action.name, action]));
    this.#faults = faults;
    this.#deps = deps;
  }

  /** `isRetained`: the broker kept it from before. */
  receive(payload: Uint8Array, isRetained: boolean): void {
    const command = isRetained ? undefined : parse(payload);
    if (command === undefined || this.#asked.has(command.id)) return;
    if (this.#asked.size >= IDS_MAX) this.#asked.delete(this.#asked.keys().next().value ?? '');
    this.#asked.set(command.id, command.answerTo);
    const fault = faultOf(this.#faults, command.action);
    if (fault?.kind === 'ignore') return this.#log(command, 'ignored by a fault');
    if (fault?.kind === 'late') after(this.#deps.clock, durationFromMs(fault.ms), () => this.#carryOut(command, false, true));
    else this.#carryOut(command, fault?.kind === 'wrong', false);
  }

  /** Commands that came to their end while time passed. */
  ended(ends: readonly Ended[]): void {
    for (const { id, state, detail } of ends) {
      const to = this.#asked.get(id);
      if (to !== undefined) this.#deps.answer({ to, id, state, detail });
    }
  }

  #carryOut(command: Command, isWrong: boolean, isLate: boolean): void {
    const { id, answerTo: to } = command;
    const refuse = (detail: string): void => {
      this.#deps.answer({ to, id, state: 'refused', detail });
      this.#log(command, `refused: ${detail}`);
    };
    // A late machine is late because it does not look at the time.
    if (!isLate && this.#deps.clock.wallMs() >= command.expiresWallMs) return refuse('it came too late');
    const action = this.#actions.get(command.action);
    if (action === undefined || action.class === 'C') return refuse('there is no such action');
    const call = checkCall(action, command.arguments);
    if (call.kind === 'bad') return refuse(call.detail);
    const values = isWrong ? wrongValues(action, call.values) : call.values;
    const { refusal, ended } = this.#deps.act({ id, action: action.name, values });
    if (refusal !== undefined) return refuse(refusal);
    this.#deps.answer({ to, id, state: 'accepted', detail: '' });
    this.#log(command, isWrong ? 'done wrong by a fault' : isLate ? 'done late by a fault' : 'begun');
    this.ended(ended);
  }

  #log(command: Command, did: string): void {
    this.#deps.log({ id: command.id, action: command.action, arguments: command.arguments, did });
  }
}

function parse(payload: Uint8Array): Command | undefined {
  if (payload.length > COMMAND_BYTES_MAX) return undefined;
  try {
    return commandSchema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))).data;
  } catch {
    // Not UTF-8 or not JSON: nothing to answer to.
    return undefined;
  }
}
