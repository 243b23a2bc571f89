import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../../src/config/config-files.ts';
import { loadActions } from '../../../../src/config/load-actions.ts';
import type { ActionSpec, ArgumentType } from '../../../../src/core/action.ts';
import { Prng } from '../../../../src/core/prng.ts';
import { createDialogues, type Document } from '../../../../tools/train-cockpit-lm/dialogue.ts';
import { splitTemplates } from '../../../../tools/train-cockpit-lm/intents.ts';

const folder = resolve(import.meta.dirname, '../../../../configs/actions');
const specs = new Map<string, ActionSpec>(
  ['cockpit.yaml', 'robot.yaml']
    .flatMap((file) => loadActions(resolve(folder, file), { files: createConfigFiles() }).actions)
    .map((action) => [action.name, action]),
);

const dialogues = createDialogues(splitTemplates());
const draw = (seed: string, count: number): readonly Document[] =>
  Array.from({ length: count }, (_, index) => {
    const prng = new Prng(`${seed}/${index}`);
    return index % 3 === 0 ? dialogues.heldOut(prng) : dialogues.train(prng);
  });
const documents = draw('dialogue', 1500);

interface Call {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

const callsOf = (content: string): readonly Call[] =>
  [...content.matchAll(/<tool_call>(.*?)<\/tool_call>/gu)].map(([, json = '']) => JSON.parse(json) as Call);

const answers = documents.flatMap(({ messages }) =>
  messages.flatMap(({ role, content }) => (role === 'assistant' ? [{ system: messages[0]?.content ?? '', content }] : [])),
);

function isAllowed(value: unknown, type: ArgumentType): boolean {
  switch (type.type) {
    case 'enum':
      return typeof value === 'string' && type.values.includes(value);
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string' && value.length > 0 && [...value].length <= type.lengthMax;
    default:
      return typeof value === 'number' && value >= type.min && value <= type.max && (type.type === 'number' || Number.isInteger(value));
  }
}

describe('conversations', () => {
  it('are the same from the same seed and others from another', () => {
    expect(draw('same', 40)).toEqual(draw('same', 40));
    expect(draw('same', 40)).not.toEqual(draw('other', 40));
  });

  it('begin with the situation and end with what the assistant says or what came of it', () => {
    for (const { messages } of documents) {
      expect(messages[0]?.role).toBe('system');
      expect(messages.at(-1)?.role).toBe('assistant');
      expect(messages.filter(({ role }) => role === 'user').length).toBeGreaterThan(0);
    }
  });

  it('propose only actions of the catalogue, with all of its arguments in its order and in range', () => {
    const calls = answers.flatMap(({ content }) => callsOf(content));
    expect(calls.length).toBeGreaterThan(1000);
    for (const call of calls) {
      const spec = specs.get(call.name);
      expect(spec?.arguments.map(({ name }) => name)).toEqual(Object.keys(call.arguments));
      for (const argument of spec?.arguments ?? []) {
        expect(isAllowed(call.arguments[argument.name], argument), JSON.stringify(call)).toBe(true);
      }
    }
  });

  it('propose every action that may run and none of class C', () => {
    const proposed = new Set(
      draw('every', 4000).flatMap(({ messages }) => messages.flatMap(({ content }) => callsOf(content).map(({ name }) => name))),
    );
    expect([...specs.values()].filter(({ name }) => proposed.has(name)).map((spec) => spec.class)).not.toContain('C');
    expect([...proposed].sort()).toEqual([...specs.values()].flatMap((spec) => (spec.class === 'C' ? [] : [spec.name])).sort());
  });

  it('with more ways to speak are held out as without', () => {
    const wide = createDialogues(splitTemplates(), 1);
    for (let index = 0; index < 60; index += 1)
      expect(wide.heldOut(new Prng(`h/${index}`))).toEqual(dialogues.heldOut(new Prng(`h/${index}`)));
  });

  it('with more ways to speak refuse what is near to a tool, and make no call of it', () => {
    const wide = createDialogues(splitTemplates(), 1);
    const near = Array.from({ length: 1500 }, (_, index) => wide.train(new Prng(`wide/${index}`))).filter(({ intent }) =>
      /^refusal\/(?:near|wrong)-/u.test(intent),
    );
    expect(near.length).toBeGreaterThan(60);
    for (const { messages, group, language } of near) {
      expect(group).toBe('refusal');
      expect(messages.at(-1)?.content).toBe(language === 'en' ? "Sorry, I can't help with that." : '抱歉，这个我做不到。');
    }
  });

  it('keep doors and trunk shut while the car is known to move', () => {
    const moving = answers.filter(({ system }) => /speed [1-9]/u.test(system));
    expect(moving.length).toBeGreaterThan(300);
    const names = moving.flatMap(({ content }) => callsOf(content).map(({ name }) => name));
    expect(names.filter((name) => ['open_door', 'open_trunk', 'unlock_doors'].includes(name))).toEqual([]);
  });

  it('let a robot move only while its emergency stop is not on', () => {
    const stopped = answers.filter(({ system }) => system.includes('emergency stop on'));
    const names = new Set(stopped.flatMap(({ content }) => callsOf(content).map(({ name }) => name)));
    expect([...names].sort()).toEqual(['say_text', 'stop_motion']);
  });

  it('of one situation ask for what the prompt says, with several questions each', () => {
    const lookUps = Array.from({ length: 200 }, (_, index) => dialogues.trainLookUps(new Prng(`look/${index}`)));
    for (const { messages } of lookUps) expect(messages.filter(({ role }) => role === 'user').length).toBeGreaterThanOrEqual(4);
    const names = lookUps.flatMap(({ messages }) => messages.flatMap(({ content }) => callsOf(content).map(({ name }) => name)));
    expect(names).toContain('set_temperature');
    expect(names).toContain('set_volume');
    expect(names).not.toContain('call_contact');
    expect(lookUps.flatMap(({ messages }) => messages).some(({ content }) => content.includes("can't help"))).toBe(false);
  });

  it('name only what the prompt lists when asked what is seen', () => {
    const english = documents.filter(({ group, language }) => group === 'view' && language === 'en');
    expect(english.length).toBeGreaterThan(50);
    for (const { messages } of english.filter((document) => document.messages.at(-1)?.role === 'assistant')) {
      const listed = [...(messages.at(-1)?.content ?? '').matchAll(/\d+ [a-z][a-z ]*? at/gu)].map(([thing]) => thing.replace(/ at$/u, ''));
      for (const thing of listed) expect(messages[0]?.content).toContain(thing);
    }
  });
});
