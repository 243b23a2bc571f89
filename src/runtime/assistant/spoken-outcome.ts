import type { ActionOutcome, GateReason, Provenance } from '../../core/proposal.ts';

/** One thing in English and Chinese. */
interface Words {
  readonly en: string;
  readonly zh: string;
}

/** Where the shipped model was trained on a reason (tools/train-cockpit-lm/turns.ts), in those words; `condition` says which below. */
const REASONS: Readonly<Record<GateReason, Words>> = {
  malformed: { en: 'not understood', zh: '没有听懂' },
  stopping: { en: 'shutting down', zh: '正在关机' },
  expired: { en: 'expired', zh: '已过期' },
  'unknown-action': { en: 'unknown action', zh: '没有这个功能' },
  forbidden: { en: 'class C', zh: '不允许语音操作' },
  'invalid-arguments': { en: 'out of range', zh: '超出范围' },
  provenance: { en: 'not from a passenger', zh: '乘客不能这样要求' },
  mode: { en: 'not in this mode', zh: '当前模式不允许' },
  'state-unknown': { en: 'state unknown', zh: '状态未知' },
  'state-stale': { en: 'state unknown', zh: '状态未知' },
  condition: { en: 'condition not met', zh: '条件不满足' },
  'rate-limited': { en: 'rate limit', zh: '太频繁了' },
  busy: { en: 'rate limit', zh: '太频繁了' },
  declined: { en: 'not confirmed', zh: '没有确认' },
  unconfirmed: { en: 'not confirmed', zh: '没有确认' },
  unreachable: { en: 'not reachable', zh: '无法连接' },
};

/** By the signal that the condition is about. */
const CONDITIONS: Readonly<Record<string, Words>> = {
  speedKmh: { en: 'speed above 0', zh: '车还没停' },
  gear: { en: 'gear not P', zh: '不在P挡' },
  emergencyStop: { en: 'emergency stop', zh: '急停中' },
  batteryPercent: { en: 'battery too low', zh: '电量太低' },
};

const FROM_STRANGER: Words = { en: 'not from a message', zh: '消息不能这样要求' };
const FROM_SIGN: Words = { en: 'text from a sign', zh: '来自标牌的文字' };
const FROM_MACHINE: Words = { en: 'refused by the machine', zh: '机器拒绝了' };
const OVERTAKEN: Words = { en: 'another command came', zh: '有了新的指令' };

/** What can be said of an outcome; undefined while nothing can. */
type Told = { readonly kind: 'accepted' | 'achieved' | 'timed_out' } | { readonly kind: 'rejected'; readonly reason: Words } | undefined;

function toldOf(outcome: ActionOutcome, isFromPicture: boolean): Told {
  switch (outcome.kind) {
    case 'awaiting-confirmation':
      return undefined;
    case 'accepted':
    case 'achieved':
      return { kind: outcome.kind };
    case 'timed-out':
      return { kind: 'timed_out' };
    case 'refused':
      return { kind: 'rejected', reason: FROM_MACHINE };
    case 'superseded':
      return { kind: 'rejected', reason: OVERTAKEN };
    case 'rejected':
      return { kind: 'rejected', reason: reasonOf(outcome.reason, outcome.detail, isFromPicture) };
  }
}

function reasonOf(reason: GateReason, detail: string, isFromPicture: boolean): Words {
  if (reason === 'provenance' && isFromPicture) return FROM_SIGN;
  // The gate's details of a condition begin with the name of its signal.
  if (reason === 'condition') return CONDITIONS[detail.split(' ', 1)[0] ?? ''] ?? REASONS.condition;
  return REASONS[reason];
}

/**
 * What became of a call, as a tool message that goes into the conversation; undefined while nothing can be said of it. Made of words from this page alone: what an actuator or a
 * stranger wrote does not get into a prompt this way.
 */
export function toolMessage(outcome: ActionOutcome, isFromPicture: boolean): string | undefined {
  const told = toldOf(outcome, isFromPicture);
  if (told === undefined) return undefined;
  return JSON.stringify({ outcome: told.kind, ...(told.kind === 'rejected' ? { reason: told.reason.en } : {}) });
}

/** What became of a call, to be said aloud; undefined while it is under way. */
export function sentenceOf(outcome: ActionOutcome, provenance: Provenance, language: 'en' | 'zh'): string | undefined {
  // The model has read of passengers only; aloud everybody is told of themselves.
  const isStranger = outcome.kind === 'rejected' && outcome.reason === 'provenance' && provenance === 'mqtt';
  const told = isStranger ? ({ kind: 'rejected', reason: FROM_STRANGER } as const) : toldOf(outcome, provenance === 'camera-text');
  if (told === undefined || told.kind === 'accepted') return undefined;
  if (told.kind === 'rejected')
    return language === 'en' ? `Sorry, that was refused: ${told.reason.en}.` : `抱歉，被拒绝了：${told.reason.zh}。`;
  if (told.kind === 'achieved') return language === 'en' ? 'Done.' : '好的。';
  return language === 'en' ? 'Sorry, there was no answer.' : '抱歉，没有回应。';
}

/**
 * What is said where a turn ends before it is known what became of a call: that it waits for a yes, or that it is under way. Undefined when it is known.
 *
 * @param waiting how many calls of the conversation wait for a yes; 0 where there is no conversation that one can be said in
 */
export function noticeOf({ kind }: ActionOutcome, language: 'en' | 'zh', waiting: number): string | undefined {
  if (kind === 'accepted') return NOTICES.underWay[language];
  if (kind !== 'awaiting-confirmation') return undefined;
  return (waiting === 0 ? NOTICES.nobody : waiting === 1 ? NOTICES.one : NOTICES.several)[language];
}

const NOTICES = {
  underWay: { en: 'I am on it.', zh: '正在执行。' },
  one: { en: 'Shall I do that? Please say yes or no.', zh: '要执行吗？请回答是或不是。' },
  // A yes would not say to which.
  several: {
    en: 'Several things wait for a yes. Please say no, and ask for one of them again.',
    zh: '有几件事在等待确认。请先说取消，再说其中一件。',
  },
  nobody: { en: 'That has to be confirmed first.', zh: '这需要先确认。' },
} as const satisfies Record<string, Words>;

/** The language to answer in: Chinese where something was said in it. */
export const languageOf = (text: string): 'en' | 'zh' => (/\p{Script=Han}/u.test(text) ? 'zh' : 'en');

/** Whether nothing more can become of it. */
export const isFinal = ({ kind }: ActionOutcome): boolean => kind !== 'awaiting-confirmation' && kind !== 'accepted';
