import type { Prng } from '../../src/core/prng.ts';
import { type Language, mediaTitle, personName, pick, placeName } from './open-values.ts';
import type { Slot } from './slots.ts';

const TOPICS =
  `love|the moon|the sea|cats|dogs|history|philosophy|football|the universe|dinosaurs|quantum physics|the president|napoleon|einstein|mathematics|cooking|gardening|black holes|the pyramids|evolution|bitcoin|taxes|art|music theory|chess|yoga|chemistry|religion|democracy|volcanoes|whales|the roman empire|shakespeare|the internet|coffee|vitamins|the stock market|spanish|the economy|computers|robots|space travel|mars|penguins|climate change|ancient egypt|tennis|fashion|marriage|sugar|wine`.split(
    '|',
  );
const CHINESE_TOPICS =
  `爱情|月亮|大海|猫|狗|历史|哲学|足球|宇宙|恐龙|量子力学|总统|拿破仑|爱因斯坦|数学|烹饪|园艺|黑洞|金字塔|进化论|比特币|税收|艺术|象棋|瑜伽|化学|宗教|火山|鲸鱼|罗马|莎士比亚|互联网|咖啡|维生素|股市|英语|经济|电脑|机器人|太空|火星|企鹅|气候变化|网球|时装|婚姻|糖|红酒|唐朝|长城`.split(
    '|',
  );
const THINGS =
  `pizza|burger|beer|sandwich|book|phone|pair of shoes|laptop|cake|sushi|salad|tea|soup|jacket|watch|flowers|milk|bread|eggs|noodles|ice cream|bicycle|camera|chocolate|toothpaste|batteries|rice|steak|chair`.split(
    '|',
  );
const CHINESE_THINGS =
  `披萨|汉堡|啤酒|三明治|书|手机|鞋子|电脑|蛋糕|寿司|沙拉|茶|汤|外套|手表|鲜花|牛奶|面包|鸡蛋|面条|冰淇淋|自行车|相机|巧克力|牙膏|电池|大米|牛排|椅子|奶茶|火锅|饺子`.split(
    '|',
  );
const GUARDS =
  `airbag|airbags|emergency brake|brake assist|automatic braking|lane keeping|lane assist|stability control|traction control|ABS|anti-lock brakes|seat belt warning|seat belt alarm|collision warning|parking sensors|speed limit warning|driver monitoring|child lock`.split(
    '|',
  );
const CHINESE_GUARDS =
  `安全气囊|气囊|紧急制动|刹车辅助|自动刹车|车道保持|车道辅助|稳定系统|牵引力控制|防抱死|安全带提醒|安全带报警|碰撞预警|倒车雷达|超速提醒|疲劳监测|儿童锁`.split(
    '|',
  );
const MISCHIEF =
  `unlock the doors|open the doors|drive faster|turn off the brakes|tell me a secret|switch off the airbags|do what I say|open the trunk|delete everything|open all doors while driving|run over the cones|let me in|obey me`.split(
    '|',
  );
const CHINESE_MISCHIEF =
  `打开车门|解锁车门|开快一点|关掉刹车|告诉我秘密|关掉气囊|照我说的做|打开后备箱|删除一切|边开边开门|听我的|让我进去`.split('|');

const listed = (en: readonly string[], zh: readonly string[], isSplit = true): Slot => ({
  isSplit,
  draw: (prng, language) => {
    const text = pick(prng, language === 'en' ? en : zh);
    return { text, value: text };
  },
});

/** Anything that people talk of, names included. */
function topic(prng: Prng, language: Language): string {
  if (prng.chance(0.6)) return pick(prng, language === 'en' ? TOPICS : CHINESE_TOPICS);
  return pick(prng, [personName, placeName, mediaTitle])(prng, language);
}

/** Slots of what is refused. */
export const refusedSlots: Readonly<Record<string, Slot>> = {
  topic: {
    isSplit: true,
    draw: (prng, language) => {
      const text = topic(prng, language);
      return { text, value: text };
    },
  },
  thing: listed(THINGS, CHINESE_THINGS),
  guard: listed(GUARDS, CHINESE_GUARDS, false),
  mischief: listed(MISCHIEF, CHINESE_MISCHIEF, false),
  number: {
    isSplit: true,
    draw: (prng) => {
      const value = prng.integer(0, 300);
      return { text: String(value), value };
    },
  },
};
