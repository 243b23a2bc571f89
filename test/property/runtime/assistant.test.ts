import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import { leastTrusted, PROVENANCES, type Provenance } from '../../../src/core/proposal.ts';
import type { ChatMessage } from '../../../src/models/language/chat-message.ts';
import { fitPrompt } from '../../../src/runtime/assistant/prompt.ts';
import { ms } from '../../support/action-rig.ts';
import { createAssistantRig } from '../../support/assistant-rig.ts';

const RUNS = 150 * (1 + Number(process.env.COXSWAIN_SEEDS ?? 0));

const measure = (messages: readonly ChatMessage[]): number =>
  messages.reduce((sum, { content }) => sum + 3 + Math.ceil(content.length / 3), 0);

describe('a prompt', () => {
  it('fits, ends with what was said last, and has the newest turns whole and in order, or is refused', () => {
    const turn = fc.tuple(fc.string({ maxLength: 200 }), fc.string({ maxLength: 200 })).map(([said, answer]): readonly ChatMessage[] => [
      { role: 'user', content: said },
      { role: 'assistant', content: answer },
    ]);
    const things = fc.array(
      fc.record({ label: fc.string({ maxLength: 80 }), count: fc.integer({ min: 1, max: 9 }), ageMs: fc.constant(5) }),
    );
    fc.assert(
      fc.property(
        fc.array(turn, { maxLength: 20 }),
        things,
        fc.string({ maxLength: 900 }),
        fc.integer({ min: 20, max: 600 }),
        (past, detections, said, tokensMax) => {
          const last: ChatMessage = { role: 'user', content: said };
          const situation = { state: { kind: 'vehicle' as const, speedKmh: 5 }, detections };
          const alone = measure([{ role: 'system', content: 'You are Coxswain, the voice of a car.\nspeed 5 km/h' }, last]);
          try {
            const messages = fitPrompt({ situation, past, last: [last] }, tokensMax, measure);
            expect(measure(messages)).toBeLessThanOrEqual(tokensMax);
            expect([messages[0]?.role, messages.at(-1)]).toEqual(['system', last]);
            const middle = messages.slice(1, -1);
            expect(middle).toEqual(past.slice(past.length - middle.length / 2).flat());
          } catch (thrown) {
            if (!(thrown instanceof CoxswainError)) throw thrown;
            expect(alone).toBeGreaterThan(tokensMax);
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});

const provenance = fc.constantFrom<Provenance>('driver', 'driver', 'passenger', 'mqtt', 'camera-text');
const conversation = fc.constantFrom('a', 'b', undefined);
const given = fc.constantFrom({ seat: 'left', level: 1 }, { seat: 'right', level: 2 }, { seat: 'left', level: 'x' });
const step = fc.oneof(
  fc.record({ do: fc.constant('hear' as const), text: fc.constantFrom('heat my seat', 'yes', 'no', '', '好的'), provenance, conversation }),
  fc.record({ do: fc.constant('say' as const), which: fc.nat(9), text: fc.string({ maxLength: 9 }) }),
  fc.record({ do: fc.constant('call' as const), which: fc.nat(9), name: fc.constantFrom('set_heat', 'open_door', 'brake'), given }),
  fc.record({ do: fc.constant('end' as const), which: fc.nat(9), isWhole: fc.boolean() }),
  fc.record({ do: fc.constant('cancel' as const), which: fc.nat(9) }),
  fc.record({ do: fc.constant('wait' as const), forMs: fc.constantFrom(0, 1, 100, 4_000, 20_000) }),
  fc.record({ do: fc.constant('see' as const), isSign: fc.boolean() }),
  fc.constant({ do: 'report' as const }),
);

describe('an assistant', () => {
  it('ends every turn once and is silent then, asks a conversation one thing at a time, and never raises whose words it were', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom('fixed' as const, 'model' as const), (steps, followUps) => {
        const rig = createAssistantRig({ followUps });
        const turns: { handle: { cancel(): void }; readonly least: Provenance; ends: number; isSilent: boolean }[] = [];
        const open = () => rig.chat.replies.filter(({ isOver }) => !isOver);
        const check = (): void => {
          const counts = rig.assistant.counts();
          const ended = Object.values(counts.ends).reduce((sum, count) => sum + count, 0);
          expect(counts.turns).toBe(counts.underWay + ended);
          expect(counts.turns).toBe(turns.length);
          expect(turns.reduce((sum, { ends }) => sum + ends, 0)).toBe(ended);
          expect(turns.every(({ ends, isSilent }) => ends <= 1 && isSilent)).toBe(true);
        };
        const hear = ({
          text,
          ...who
        }: {
          readonly text: string;
          readonly provenance: Provenance;
          readonly conversation: string | undefined;
        }): void => {
          const least = leastTrusted([who.provenance, ...(rig.seen?.provenances ?? [])]);
          const turn: (typeof turns)[number] = { handle: { cancel: () => undefined }, least, ends: 0, isSilent: true };
          turns.push(turn);
          const { conversation: name, provenance: by } = who;
          turn.handle = rig.assistant.hear(
            { text, provenance: by, ...(name === undefined ? {} : { conversation: name }) },
            {
              onPieces: () => {
                turn.isSilent &&= turn.ends === 0;
              },
              // A turn that says yes is told of a call of another one.
              onProposal: (proposal) => {
                if (text === 'heat my seat')
                  expect(PROVENANCES.indexOf(proposal.provenance)).toBeGreaterThanOrEqual(PROVENANCES.indexOf(least));
              },
              onEnd: () => {
                turn.ends += 1;
              },
            },
          );
        };
        for (const one of steps) {
          const replies = open();
          const reply = 'which' in one ? replies[one.which % Math.max(1, replies.length)] : undefined;
          if (one.do === 'hear') hear(one);
          else if (one.do === 'say') reply?.say(one.text);
          else if (one.do === 'call') reply?.call(one.name, one.given);
          else if (one.do === 'end')
            reply?.end(one.isWhole ? { kind: 'done' } : { kind: 'failed', reason: 'core-hung' }, one.isWhole ? 'stop' : undefined);
          else if (one.do === 'cancel') turns[one.which]?.handle.cancel();
          else if (one.do === 'wait') rig.clock.runFor(ms(one.forMs));
          else if (one.do === 'report') rig.report({ 'heat.left': 1, 'heat.right': 2, 'door.left': 'open' });
          else rig.seen = { things: [], provenances: one.isSign ? ['camera-text'] : [] };
          check();
          const names = open().flatMap(({ ask }) => ask.conversation ?? []);
          expect(new Set(names).size).toBe(names.length);
        }
        for (const { handle } of turns) handle.cancel();
        rig.clock.runFor(ms(30_000));
        check();
        expect([rig.assistant.counts().underWay, open().length]).toEqual([0, 0]);
        for (const { id } of rig.sent) {
          const event = rig.events.find(({ proposal }) => proposal.id === id);
          expect(['driver', 'passenger']).toContain(event?.proposal.provenance);
        }
        const { proposed, duplicates } = rig.gate.counts();
        expect([Object.values(rig.assistant.counts().calls).reduce((sum, count) => sum + count, 0), duplicates]).toEqual([proposed, 0]);
      }),
      { numRuns: RUNS },
    );
  });
});
