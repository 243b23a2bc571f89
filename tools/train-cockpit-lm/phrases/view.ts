import { type Bearing, PICTURE_FRESH_MS, pluralOf, type SeenThings } from '../../../src/models/language/situation.ts';
import { type Answer, type Asked, type Intent, inTongue, says } from '../intent.ts';
import { chineseLabel } from '../labels.ts';
import type { Language } from '../open-values.ts';

const ORDER: readonly Bearing[] = ['ahead', 'left', 'right', 'behind'];

const WHERE: Readonly<Record<Bearing, { readonly en: string; readonly zh: string }>> = {
  ahead: { en: 'ahead', zh: '前方' },
  left: { en: 'on the left', zh: '左边' },
  right: { en: 'on the right', zh: '右边' },
  behind: { en: 'behind', zh: '后方' },
};

/** Counting words of Chinese beside 个. */
const MEASURES: readonly (readonly [measure: string, labels: readonly string[]])[] = [
  ['辆', ['car', 'bus', 'truck', 'bicycle', 'motorcycle', 'train']],
  ['只', ['cat', 'dog', 'bird', 'sheep', 'bear']],
  ['把', ['chair', 'umbrella', 'knife', 'scissors']],
  ['张', ['bed', 'dining table']],
  ['本', ['book']],
];

const measureOf = (label: string): string => MEASURES.find(([, members]) => members.includes(label))?.[0] ?? '个';

function countOf({ label, count }: SeenThings, language: Language): string {
  if (language === 'zh') return `${count}${measureOf(label)}${chineseLabel(label)}`;
  return `${count} ${count === 1 ? label : pluralOf(label)}`;
}

function sayThing(seen: SeenThings, language: Language): string {
  if (seen.distanceM === undefined) return countOf(seen, language);
  return inTongue(language, `${countOf(seen, 'en')} at ${seen.distanceM} m`, `${countOf(seen, 'zh')}（${seen.distanceM}米）`);
}

/** As the prompt lists them: nearest first, unknown distances last, in the order of their finding. */
const byDistance = (one: SeenThings, other: SeenThings): number =>
  (one.distanceM ?? Number.MAX_VALUE) - (other.distanceM ?? Number.MAX_VALUE);

/** What can be answered from, or why nothing can. */
function fresh({ situation, language }: Asked): readonly SeenThings[] | Answer {
  const { detections } = situation;
  if (detections === undefined) return says(inTongue(language, 'I have no camera picture.', '我没有摄像头画面。'));
  const seen = detections.filter(({ ageMs }) => ageMs <= PICTURE_FRESH_MS);
  if (detections.length > 0 && seen.length === 0) return says(inTongue(language, 'I have no fresh picture.', '我没有新的画面。'));
  return seen;
}

const isAnswer = (found: readonly SeenThings[] | Answer): found is Answer => 'kind' in found;

function sayBearings(bearings: readonly Bearing[], asked: Asked): Answer {
  const found = fresh(asked);
  if (isAnswer(found)) return found;
  const { language } = asked;
  const groups = bearings.flatMap((bearing) => {
    const here = found.filter((seen) => seen.bearing === bearing).sort(byDistance);
    if (here.length === 0) return [];
    const things = here.map((seen) => sayThing(seen, language)).join(inTongue(language, ', ', '、'));
    return [inTongue(language, `${things} ${WHERE[bearing].en}`, `${WHERE[bearing].zh}有${things}`)];
  });
  const [only] = bearings;
  if (groups.length === 0 && bearings.length === 1 && only !== undefined) {
    return says(inTongue(language, `I see nothing ${WHERE[only].en}.`, `${WHERE[only].zh}什么也没有。`));
  }
  if (groups.length === 0) return says(inTongue(language, 'I see nothing.', '我什么也没看到。'));
  return says(inTongue(language, `I see ${groups.join('; ')}.`, `${groups.join('；')}。`));
}

function view(id: string, bearings: readonly Bearing[], en: readonly string[], zh: readonly string[], weight: number): Intent {
  return { id: `view/${id}`, world: 'both', tone: 'question', weight, en, zh, answer: (asked) => sayBearings(bearings, asked) };
}

/** The things asked for, by label; slots of this page hold labels. */
const asked = (from: Asked): SeenThings | undefined | Answer => {
  const found = fresh(from);
  return isAnswer(found) ? found : found.find(({ label }) => label === from.values.thing_seen || label === from.values.things_seen);
};

function about(from: Asked, say: (seen: SeenThings, language: Language) => string): Answer {
  const seen = asked(from);
  if (seen === undefined) return says(inTongue(from.language, 'I see none.', '没有看到。'));
  return 'kind' in seen ? seen : says(say(seen, from.language));
}

export const views: readonly Intent[] = [
  view(
    'ahead',
    ['ahead'],
    [
      'what is (in front of|ahead of|before) (me|us|you|the car|the robot)',
      'what do you see (in front|ahead|in front of you|in front of us|straight ahead)',
      '(tell me|say) what is (ahead|in front)( of us| of you|)',
      'what is (ahead|in front|straight ahead)',
      'is there (anything|something) (ahead|in front of us|in front of you|in the way)',
      'can you see (anything|something) (ahead|in front)',
      'what (stands|lies|comes) (in front of us|ahead|in our way)',
      'is the (way|road|path) (free|clear)( ahead|)',
      'look (ahead|straight ahead|in front of you)( and tell me|)',
    ],
    [
      '(前面|前方|我前面|你前面)(有|是)什么',
      '(你|)(看到|看见)前(面|方)(有|)什么(了|)',
      '(告诉我|说说)前(面|方)有什么',
      '前(面|方)(有东西|有障碍)吗',
      '(前面|前方)(什么|有什么)情况',
      '(看|看看)(一下|)前(面|方)',
      '(路|前面)(通|畅通|空)吗',
    ],
    3,
  ),
  view(
    'all',
    ORDER,
    [
      'what do you see( now| right now|)',
      'what can you see( now|)',
      '(describe|tell me) (what you see|the surroundings|the scene)',
      'what is (around|around us|around you|there to see)',
      'what does the camera (see|show)',
      'look around( and tell me what you see|)',
      'what (things |)are around (us|you|the car)',
      'what have you (detected|seen|found)',
    ],
    [
      '你(看到|看见|能看到)(了|)什么',
      '(周围|四周|附近)(有|是)什么(东西|)',
      '(告诉我|说说|描述)(你看到了什么|周围有什么|一下周围)',
      '摄像头(看到|拍到)(了|)什么',
      '看看(周围|四周)',
      '(你|)(检测|发现)到(了|)什么',
    ],
    2,
  ),
  view(
    'left',
    ['left'],
    [
      'what is (on|to) (the|my|our|your) left( side|)',
      'what do you see (on|to) the left( side|)',
      'is there (anything|something) (on|to) (the|our|your) left',
      '(look|look to the) left',
      '(tell me|say) what is on the left',
      'can you see (anything|something) on the left',
    ],
    [
      '(左边|左侧|左面|左方)(有|是)什么',
      '(你|)(看到|看见)左(边|侧)(有|)什么',
      '(告诉我|说说)左(边|侧)有什么',
      '左(边|侧)(有东西|有人)吗',
      '(看|看看)(一下|)左(边|侧)',
    ],
    0.9,
  ),
  view(
    'right',
    ['right'],
    [
      'what is (on|to) (the|my|our|your) right( side|)',
      'what do you see (on|to) the right( side|)',
      'is there (anything|something) (on|to) (the|our|your) right',
      '(look|look to the) right',
      '(tell me|say) what is on the right',
      'can you see (anything|something) on the right',
    ],
    [
      '(右边|右侧|右面|右方)(有|是)什么',
      '(你|)(看到|看见)右(边|侧)(有|)什么',
      '(告诉我|说说)右(边|侧)有什么',
      '右(边|侧)(有东西|有人)吗',
      '(看|看看)(一下|)右(边|侧)',
    ],
    0.9,
  ),
  view(
    'behind',
    ['behind'],
    [
      'what is behind (me|us|you|the car)',
      'what do you see (behind|behind us|behind you|in the back)',
      'is there (anything|something) behind (us|you|me)',
      '(tell me|say) what is behind( us| you|)',
      'can you see (anything|something) behind( us| you|)',
      'what (follows us|comes from behind)',
    ],
    [
      '(后面|后方|我后面|你后面)(有|是)什么',
      '(你|)(看到|看见)后(面|方)(有|)什么',
      '(告诉我|说说)后(面|方)有什么',
      '后(面|方)(有东西|有车)吗',
      '(看|看看)(一下|)后(面|方)',
    ],
    0.9,
  ),
  {
    id: 'view/is-there',
    world: 'both',
    tone: 'question',
    weight: 2.4,
    en: [
      'is there {thing_seen}( here| nearby| somewhere| around|)',
      '(do|can) you see {thing_seen}( here| somewhere|)',
      'have you (seen|found|detected) {thing_seen}',
      'is {thing_seen} (around|nearby|there)',
      'are there (any |){things_seen}( here| around| nearby|)',
      '(do|can) you see (any |){things_seen}',
      '(tell me|say) (if|whether) there (is {thing_seen}|are {things_seen})',
    ],
    zh: [
      '(这里|附近|周围|)有{thing_seen}吗',
      '(你|)(看到|看见|能看到){thing_seen}(了|)吗',
      '有没有{thing_seen}',
      '(你|)(发现|检测到){thing_seen}(了|)吗',
      '(告诉我|看看)有没有{thing_seen}',
    ],
    answer: (from) =>
      about(from, (seen, language) =>
        inTongue(
          language,
          `Yes, ${sayThing(seen, 'en')} ${WHERE[seen.bearing ?? 'ahead'].en}.`,
          `有，${WHERE[seen.bearing ?? 'ahead'].zh}有${sayThing(seen, 'zh')}。`,
        ),
      ),
  },
  {
    id: 'view/count',
    world: 'both',
    tone: 'question',
    weight: 2,
    en: [
      'how many {things_seen} (do|can) you see( now| there|)',
      'how many {things_seen} are (there|here|around|around us)',
      'count the {things_seen}',
      '(tell me|say) how many {things_seen} there are',
      'what is the number of {things_seen}',
      'how many {things_seen}',
    ],
    zh: [
      '(有|你看到|看到|看见)(几|多少)个{thing_seen}',
      '(数|数一下|数数){thing_seen}',
      '{thing_seen}有(几|多少)个',
      '(这里|附近|周围)有多少{thing_seen}',
      '(告诉我|看看)有(几|多少)个{thing_seen}',
      '{thing_seen}的数量',
    ],
    answer: (from) => about(from, (seen, language) => inTongue(language, `I see ${countOf(seen, 'en')}.`, `看到${countOf(seen, 'zh')}。`)),
  },
  {
    id: 'view/distance',
    world: 'both',
    tone: 'question',
    weight: 1.6,
    en: [
      'how far (away |)is the {bare_seen}',
      'how close is the {bare_seen}',
      '(what is|tell me) the distance to the {bare_seen}',
      'how many (metres|meters) (is it |)to the {bare_seen}',
      'is the {bare_seen} (close|near|far away|far)',
      'how near is the {bare_seen}',
      'distance to the {bare_seen}',
    ],
    zh: [
      '{thing_seen}(有|离我们|离我|)(多远|多近)',
      '(离|到){thing_seen}(有|)(多远|多少米)',
      '{thing_seen}(近|远)吗',
      '(告诉我|)(到|离){thing_seen}的距离',
      '{thing_seen}(的|)距离(是|)多少',
    ],
    answer: (from) =>
      about(
        { ...from, values: { ...from.values, thing_seen: from.values.thing_seen ?? from.values.bare_seen ?? '' } },
        ({ distanceM }, language) =>
          distanceM === undefined
            ? inTongue(language, 'I do not know how far.', '不知道有多远。')
            : inTongue(language, `${distanceM} m away.`, `距离${distanceM}米。`),
      ),
  },
  {
    id: 'view/where',
    world: 'both',
    tone: 'question',
    weight: 1.2,
    en: [
      'where is the {bare_seen}',
      'on which side is the {bare_seen}',
      '(tell me|say) where the {bare_seen} is',
      'where do you see the {bare_seen}',
      'in which direction is the {bare_seen}',
      'do you know where the {bare_seen} is',
    ],
    zh: [
      '{thing_seen}在(哪里|哪儿|哪边)',
      '(告诉我|)(哪里|哪边)有{thing_seen}',
      '{thing_seen}在(什么|哪个)(方向|位置)',
      '你在哪里看到{thing_seen}',
      '你知道{thing_seen}在哪里吗',
    ],
    answer: (from) =>
      about({ ...from, values: { ...from.values, thing_seen: from.values.thing_seen ?? from.values.bare_seen ?? '' } }, (seen, language) =>
        inTongue(
          language,
          `${sayThing(seen, 'en')} ${WHERE[seen.bearing ?? 'ahead'].en}.`,
          `${WHERE[seen.bearing ?? 'ahead'].zh}有${sayThing(seen, 'zh')}。`,
        ),
      ),
  },
];
