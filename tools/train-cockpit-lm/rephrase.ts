import type { Prng } from '../../src/core/prng.ts';
import { type Language, pick } from './open-values.ts';
import type { Piece } from './template.ts';

/** Words, what else says the same in the same place, and how often it is said instead. */
type Rule = readonly [words: RegExp, instead: readonly string[], share: number];

const ENGLISH: readonly Rule[] = [
  [/\bI am\b/gu, ["I'm"], 0.4],
  [/\b(we|they|you) are\b/gu, ["$1're"], 0.4],
  [/\b(it|that|what|where|there|who|how) is\b/gu, ["$1's"], 0.4],
  [/\b(I|we) would like\b/gu, ["$1'd like"], 0.5],
  [/\b(I|we) will\b/gu, ["$1'll"], 0.5],
  [/\bdo not\b/gu, ["don't"], 0.6],
  [/\bdoes not\b/gu, ["doesn't"], 0.6],
  [/\b(?:can not|cannot)\b/gu, ["can't"], 0.6],
  [/\blet us\b/gu, ["let's"], 0.6],
  [/\b(I|we) want to\b/gu, ['$1 wanna', "$1'd like to", '$1 would love to'], 0.25],
  [/\ba (?:bit|little)\b/gu, ['slightly', 'a tad', 'a touch', 'a bit', 'a little', 'a little bit', 'somewhat'], 0.35],
  [/\bright now\b/gu, ['now', 'at the moment', 'currently'], 0.4],
  [/\bair conditioning\b/gu, ['aircon', 'air con', 'a/c', 'AC', 'air conditioner'], 0.35],
  [/\bwindscreen\b/gu, ['windshield', 'front screen'], 0.3],
  [/\btemperature\b/gu, ['temp'], 0.15],
  [/\bheadlights\b/gu, ['headlamps', 'head lights'], 0.2],
  [/\bturn (on|off)\b/gu, ['switch $1'], 0.3],
  [/\bswitch (on|off)\b/gu, ['turn $1'], 0.3],
  [/\bnearby\b/gu, ['close by', 'near here', 'around here', 'in the area', 'near us'], 0.4],
  [/\bin here\b/gu, ['inside', 'in the car'], 0.2],
  [/\btell me\b/gu, ['let me know', 'say'], 0.2],
  [/\beverybody\b/gu, ['everyone', 'all'], 0.4],
  [/\bplease\b/gu, ['pls', 'kindly'], 0.05],
  [/ the /gu, [' '], 0.05],
];

const CHINESE: readonly Rule[] = [
  [/打开/gu, ['开启', '开一下'], 0.12],
  [/关掉/gu, ['关闭', '关上', '关一下'], 0.15],
  [/我要/gu, ['我想要', '我需要'], 0.2],
  [/你/gu, ['您'], 0.12],
  [/什么/gu, ['啥'], 0.12],
  [/现在/gu, ['目前', '这会儿', '此刻'], 0.2],
  [/一点/gu, ['一些', '点儿', '一点儿'], 0.25],
  [/多少/gu, ['几'], 0.05],
  [/我们/gu, ['咱们', '咱'], 0.25],
  [/附近/gu, ['周边', '这附近', '旁边'], 0.25],
  [/告诉我/gu, ['跟我说', '说说'], 0.2],
];

/** Says words of a template otherwise. What a slot says stays, and so does what is meant. */
export function rephrase(pieces: readonly Piece[], language: Language, prng: Prng): readonly Piece[] {
  const rules = (language === 'en' ? ENGLISH : CHINESE).filter(([, , share]) => prng.chance(share));
  if (rules.length === 0) return pieces;
  return pieces.map((piece) => {
    if (piece.kind === 'slot') return piece;
    const text = rules.reduce((words, [from, instead]) => words.replace(from, pick(prng, instead)), piece.text);
    return { kind: 'words', text };
  });
}

/** What may stand around a sentence: before any of them, before a plain request, after a request, and as a sentence of its own. */
interface Manners {
  readonly before: readonly string[];
  readonly beforeRequest: readonly string[];
  readonly afterRequest: readonly string[];
  readonly asides: readonly string[];
}

const MANNERS: Readonly<Record<Language, Manners>> = {
  en: {
    before:
      'hey, |hi, |um, |uh, |so, |well, |okay, |alright, |hey car, |computer, |assistant, |listen, |excuse me, |sorry, |right, |hello, |hey there, |yo, |oh, |now then, |coxswain, |hey coxswain, |ok coxswain, |hi coxswain, |actually, |look, |erm, |good, |quick question, |one more thing, |by the way, |next, |also, |dear assistant, |tell you what, |oh and '.split(
        '|',
      ),
    beforeRequest:
      "please |can you |could you |would you |will you |can you please |could you please |would you please |I need you to |I want you to |I would like you to |I'd like you to |go ahead and |just |kindly |if possible, |if you can, |when you have a moment, |could you maybe |can you just |could you quickly |do me a favour and |be so kind and |be so kind as to |you can |you may |you should |why don't you |I was wondering if you could |is it possible to |would it be possible to |please go ahead and |quickly |it would be great if you could |it'd be nice if you could |do you think you could |make sure to |try to |help me to |I want to |I'd like to |let us |let's |let me |time to |we need to |I need to |may I ask you to |you could |any chance you could |mind you, please |now please |for me please |somebody please |car, please |coxswain, please |hey, can you |hi, could you |ok, please ".split(
        '|',
      ),
    afterRequest:
      " please|, please| now| right now| quickly| if you can|, will you|, would you|, ok| when you can| real quick| if possible| immediately| at once| for us| for me|, thanks|, thank you|, thanks a lot|, cheers| right away|, can you| today| if you do not mind| if you don't mind| straight away| as soon as possible| then|, my friend| for the kids|, it is urgent|, I am in a hurry|, buddy|, dear| for a moment| again please".split(
        '|',
      ),
    asides:
      'what a day. |I am so tired. |the traffic is terrible today. |my phone is in my bag. |we have guests in the back. |do not get me wrong, |no rush. |I have my hands full. |nice to have you. |as I said, |hold on, |wait a second, |thanks for that. |that was good. |I just got in. |long drive today. |it is me again. |new day, new luck. |my wife is asleep. |I can not reach it. |before I forget, |since we are at it, |if I may ask, |just so you know, we are late. |one second. |where was I, |good to have you here. |the kids are loud. |first things first, |I hope you hear me. |not sure how to say this, '.split(
        '|',
      ),
  },
  zh: {
    before:
      '嗨，|嘿，|那个，|嗯，|呃，|喂，|好，|好的，|小舵小舵，|小舵，|小舵你好，|你好，|那么，|还有，|对了，|请问，|话说，|哎，|听我说，|不好意思，|打扰一下，|接下来，|然后，'.split(
        '|',
      ),
    beforeRequest:
      '请|请你|请您|帮我|帮忙|麻烦|麻烦你|麻烦您|帮我一下，|给我|能不能|能不能帮我|可以帮我|可不可以|你能|你帮我|我想请你|劳驾|快|赶紧|现在|马上|立刻|我希望你|我需要你|要不你|你就|能帮我|请帮忙|烦请|拜托|拜托你|帮个忙，'.split(
        '|',
      ),
    afterRequest:
      '吧|谢谢|，谢谢|，谢谢你|好吗|，好吗|，行吗|，可以吗|一下吧|，快点|，麻烦了|，拜托|，辛苦了|，马上|，现在就要|呗|啊|哦|，多谢|，行不行|，赶紧的'.split(
        '|',
      ),
    asides:
      '今天真累。|堵死了。|孩子在后面睡觉呢。|我手上有东西。|刚上车。|又是我。|等等，|先说一句，|我够不着。|好久没开这么远了。|稍等，|老婆睡着了。|我赶时间。|趁现在，|不知道怎么说，|你听得见吗，|太好了，|今天人真多。'.split(
        '|',
      ),
  },
};

/** Verbs that "could you" may stand before. */
const VERB_START =
  /^(?:set|put|turn|switch|change|adjust|give|make|keep|bring|get|take|open|close|shut|roll|wind|lower|raise|slide|pop|release|unlatch|unlock|lock|heat|warm|cool|start|stop|run|use|activate|enable|disable|deactivate|play|pause|resume|continue|skip|mute|find|look|search|show|tell|call|phone|ring|dial|send|write|text|message|hang|end|cancel|navigate|drive|go|guide|plan|move|come|rotate|spin|pivot|follow|say|announce|repeat|dim|brighten|defrost|clear|wipe|order|buy|book|read|sing|explain|describe|translate|calculate|add|remind|wash|clean|cook|feed|hit|push|break|knock|throw|jump|dance|pick|grab|ignore|forget|pretend|print|reveal|override|bypass|accelerate|brake|overtake|park|steer|teach|draw|check|count|solve|convert|save|delete|connect|answer)\b/u;

/** What stands around a sentence of the further phrases. A request that ends in what is to be copied has nothing after it, so that its end is known. */
export function mannersOf(core: string, isRequest: boolean, endsOpen: boolean, language: Language, prng: Prng) {
  const { before, beforeRequest, afterRequest, asides } = MANNERS[language];
  const isPlain = isRequest && (language === 'zh' || VERB_START.test(core));
  const opening = prng.chance(0.45) ? '' : isPlain && prng.chance(0.7) ? pick(prng, beforeRequest) : pick(prng, before);
  const closing = isPlain && !endsOpen && prng.chance(0.35) ? pick(prng, afterRequest) : '';
  return { opening, closing, aside: prng.chance(0.07) ? pick(prng, asides) : '' };
}
