import type { Prng } from '../../src/core/prng.ts';
import { chineseNumber, englishNumber } from './numbers.ts';
import { type Language, mediaTitle, messageText, personName, pick, placeName, roomName, spokenText } from './open-values.ts';
import { isHeldOutValue, type Split } from './split.ts';

/** What stands in the sentence, and what it means in a call. */
export interface Filling {
  readonly text: string;
  readonly value: string | number;
}

export interface Slot {
  /** Whether one value of eight is kept from training. Lists of a few names are not split: each must be learnt. */
  readonly isSplit: boolean;
  draw(prng: Prng, language: Language): Filling;
}

/** Draws until the value belongs to the split; a held-out text takes held-out values only where the slot is split. */
export function fillSlot(name: string, slot: Slot, prng: Prng, language: Language, split: Split): Filling {
  for (let attempt = 0; attempt < DRAWS_MAX; attempt += 1) {
    const filling = slot.draw(prng, language);
    if (!slot.isSplit || isHeldOutValue(name, String(filling.value)) === (split === 'heldout')) return filling;
  }
  throw new RangeError(`slot ${name} gave no value of split ${split} in ${DRAWS_MAX} draws`);
}

const DRAWS_MAX = 2000;

/** Names in both languages for the values of a short list. */
type Names = Readonly<Record<string, { readonly en: readonly string[]; readonly zh: readonly string[] }>>;

function named(names: Names): Slot {
  const values = Object.keys(names);
  return {
    isSplit: false,
    draw: (prng, language) => {
      const value = pick(prng, values);
      return { text: pick(prng, names[value]?.[language] ?? []), value };
    },
  };
}

const open = (draw: (prng: Prng, language: Language) => string): Slot => ({
  isSplit: true,
  draw: (prng, language) => {
    const text = draw(prng, language);
    return { text, value: text };
  },
});

/** A number in digits or in words. */
function sayNumber(prng: Prng, language: Language, value: number): string {
  if (prng.chance(0.55)) return String(value);
  if (language === 'en') return englishNumber(value);
  return value === 2 && prng.chance(0.5) ? '两' : chineseNumber(value);
}

function number(low: number, high: number, step: number, isSplit: boolean): Slot {
  return {
    isSplit,
    draw: (prng, language) => {
      const value = Number((low + step * prng.integer(0, Math.round((high - low) / step))).toFixed(2));
      return { text: sayNumber(prng, language, value), value };
    },
  };
}

const percent = (low: number): Slot => ({
  isSplit: true,
  draw: (prng, language) => {
    const value = prng.chance(0.7) ? 5 * prng.integer(low / 5, 20) : prng.integer(low, 100);
    const said = sayNumber(prng, language, value);
    if (language === 'en') return { text: `${said}${pick(prng, [' percent', ' percent', /^\d/u.test(said) ? '%' : ' percent'])}`, value };
    return { text: prng.chance(0.3) ? `${value}%` : `百分之${said}`, value };
  },
});

/** Metres with their unit: "2 m", "half a metre", "50 cm". */
const metres: Slot = {
  isSplit: true,
  draw: (prng, language) => {
    const value = pick(prng, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.5, 1.8, 2, 2.5, 3, 3.5, 4, 4.5, 5]);
    if (value < 1 && prng.chance(0.5)) {
      const said = sayNumber(prng, language, Math.round(value * 100));
      return { text: language === 'en' ? `${said} ${pick(prng, ['cm', 'centimetres', 'centimeters'])}` : `${said}厘米`, value };
    }
    if (value === 0.5 && prng.chance(0.6))
      return { text: language === 'en' ? pick(prng, ['half a metre', 'half a meter']) : '半米', value };
    const said = sayNumber(prng, language, value);
    if (language === 'zh') return { text: `${said}米`, value };
    return { text: `${said} ${value === 1 ? pick(prng, ['metre', 'meter', 'm']) : pick(prng, ['metres', 'meters', 'm'])}`, value };
  },
};

const degrees: Slot = {
  isSplit: true,
  draw: (prng, language) => {
    const value = prng.chance(0.3) ? pick(prng, [90, 180, 45]) : 5 * prng.integer(1, 72);
    return { text: `${sayNumber(prng, language, value)}${language === 'en' ? ' degrees' : '度'}`, value };
  },
};

const SEATS: Names = {
  driver: { en: ["driver's", 'driver', "driver's side"], zh: ['主驾', '驾驶位', '主驾驶'] },
  passenger: { en: ["passenger's", 'passenger', 'front passenger', 'co-driver'], zh: ['副驾', '副驾驶', '副驾位'] },
  rear_left: { en: ['rear left', 'left rear', 'back left'], zh: ['左后', '后排左侧', '左后方'] },
  rear_right: { en: ['rear right', 'right rear', 'back right'], zh: ['右后', '后排右侧', '右后方'] },
};

/** Slots by name; a template writes `{name}`. */
export const slots: Readonly<Record<string, Slot>> = {
  seat: named(SEATS),
  window: named({
    driver: {
      en: ["the driver's window", 'my window', 'the driver window', "the window on the driver's side"],
      zh: ['主驾', '驾驶位', '主驾驶', '我的', '我这边的'],
    },
    passenger: { en: ["the passenger's window", 'the passenger window', 'the front passenger window'], zh: ['副驾', '副驾驶', '副驾位'] },
    rear_left: { en: ['the rear left window', 'the left rear window', 'the back left window'], zh: ['左后', '后排左侧', '左后方'] },
    rear_right: { en: ['the rear right window', 'the right rear window', 'the back right window'], zh: ['右后', '后排右侧', '右后方'] },
    all: { en: ['all windows', 'all the windows', 'every window'], zh: ['所有', '全部', '所有的'] },
  }),
  zone: named({
    driver: { en: ["driver's side", "driver's zone", 'my side'], zh: ['主驾', '主驾这边', '我这边'] },
    passenger: { en: ["passenger's side", 'passenger side', "passenger's zone"], zh: ['副驾', '副驾驶', '副驾那边'] },
    rear: { en: ['back', 'rear', 'back seats', 'rear zone'], zh: ['后排', '后面', '后座'] },
  }),
  mode: named({
    auto: { en: ['auto', 'automatic'], zh: ['自动'] },
    cool: { en: ['cooling', 'cool'], zh: ['制冷'] },
    heat: { en: ['heating', 'heat'], zh: ['制热', '加热'] },
    defrost: { en: ['defrost', 'defrosting', 'demist'], zh: ['除霜', '除雾'] },
  }),
  beam: named({
    auto: { en: ['auto', 'automatic'], zh: ['自动'] },
    low: { en: ['low beam', 'low'], zh: ['近光'] },
    high: { en: ['high beam', 'high'], zh: ['远光'] },
  }),
  wiping: named({
    auto: { en: ['auto', 'automatic'], zh: ['自动'] },
    slow: { en: ['slow', 'low speed'], zh: ['慢速', '低速'] },
    fast: { en: ['fast', 'high speed'], zh: ['快速', '高速'] },
  }),
  kind: named({
    charging: { en: ['a charging station', 'a charger', 'a charging point'], zh: ['充电站', '充电桩'] },
    parking: { en: ['a parking lot', 'a car park', 'parking', 'a parking space'], zh: ['停车场', '停车位'] },
    restaurant: { en: ['a restaurant', 'something to eat', 'a place to eat'], zh: ['餐厅', '饭店', '吃饭的地方'] },
    cafe: { en: ['a cafe', 'a coffee shop', 'coffee'], zh: ['咖啡店', '咖啡馆', '喝咖啡的地方'] },
    toilet: { en: ['a toilet', 'a restroom', 'a bathroom'], zh: ['厕所', '洗手间', '卫生间'] },
    hospital: { en: ['a hospital', 'a doctor', 'an emergency room'], zh: ['医院', '诊所', '急诊'] },
    supermarket: { en: ['a supermarket', 'a grocery store', 'a shop'], zh: ['超市', '商店', '便利店'] },
    hotel: { en: ['a hotel', 'a place to sleep', 'a motel'], zh: ['酒店', '宾馆', '住的地方'] },
  }),
  side: named({ left: { en: ['left'], zh: ['左'] }, right: { en: ['right'], zh: ['右'] } }),
  celsius: number(16, 28, 0.5, true),
  seatLevel: number(1, 3, 1, false),
  fanLevel: number(1, 7, 1, false),
  percent: percent(5),
  metres,
  degrees,
  place: open(placeName),
  name: open(personName),
  query: open(mediaTitle),
  text: open(messageText),
  room: open(roomName),
  sentence: open(spokenText),
  celsiusWrong: {
    isSplit: true,
    draw: (prng, language) => {
      const value = prng.chance(0.5) ? prng.integer(0, 15) : prng.integer(29, 90);
      return { text: sayNumber(prng, language, value), value };
    },
  },
  levelWrong: number(8, 40, 1, true),
  metresWrong: number(8, 90, 1, true),
};
