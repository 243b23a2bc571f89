import type { Prng } from '../../src/core/prng.ts';

/** English for any Latin text, Chinese for simplified Chinese. */
export type Language = 'en' | 'zh';

/** One of a list; the list must not be empty. */
export function pick<T>(prng: Prng, values: readonly T[]): T {
  const value = values[prng.integer(0, values.length - 1)];
  if (value === undefined) throw new RangeError('nothing to pick from');
  return value;
}

const words = (text: string): readonly string[] => text.split(/\s+/u);

const ONSETS = words('b br c ch cl d dr f fl g gr h j k kl l m n p pr qu r s sh sl st t th tr v w z');
const VOWELS = words('a e i o u a e i o ai ea ee oo ou');
const CODAS = ['', '', ...words('n l r s t m nd rt ck ll x')];

/** A name that nobody bears: made-up syllables teach the model to copy what it reads. */
function madeUpName(prng: Prng): string {
  const syllable = (): string => pick(prng, ONSETS) + pick(prng, VOWELS) + pick(prng, CODAS);
  const name =
    Array.from({ length: prng.integer(1, 2) }, syllable).join('') + pick(prng, ['', 'a', 'en', 'er', 'ton', 'ly', 'sen', 'ford', 'i']);
  return name.charAt(0).toUpperCase() + name.slice(1);
}

const FIRST_NAMES = words(
  `Anna Ben Clara David Emma Felix Grace Henry Ida Jack Kate Leo Maria Noah Olivia Paul Quinn Rosa Sam Tom Uma Victor Wendy Xavier Yara Zoe Alice Bob Carlos
  Diana Eric Fiona George Hannah Ivan Julia Kevin Laura Mike Nina Oscar Peter Rachel Simon Tina Ursula Walter Lily Max Lucy Mei Wei Jun Yuki Ali Omar Sara`,
);
const LAST_NAMES = words(
  `Smith Miller Brown Jones Weber Garcia Silva Novak Rossi Kim Chen Wang Tanaka Khan Patel Fischer Martin Lopez Walker Young Baker Cooper Hill Stone Berg`,
);
const RELATIVES = ['mum', 'mom', 'dad', 'my wife', 'my husband', 'my brother', 'my sister', 'grandma', 'the office', 'my boss', 'Dr. '];
const SURNAMES =
  '王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金';
const GIVEN =
  '伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅文建国志林海云峰雪梦琪佳欣怡晨宇浩然子轩思雨嘉雯天翔鹏飞龙凤春夏秋冬晓东南西北小大安康乐';
const CHINESE_RELATIVES = ['妈妈', '爸爸', '老婆', '老公', '哥哥', '妹妹', '奶奶', '公司', '老板', '姐姐'];

const character = (prng: Prng, characters: string): string => characters.charAt(prng.integer(0, characters.length - 1));

/** A person of the address book, as spoken. */
export function personName(prng: Prng, language: Language): string {
  if (language === 'zh') {
    if (prng.chance(0.12)) return pick(prng, CHINESE_RELATIVES);
    if (prng.chance(0.15)) return `${character(prng, SURNAMES)}${pick(prng, ['总', '老师', '经理', '医生', '师傅'])}`;
    const given = Array.from({ length: prng.integer(1, 2) }, () => character(prng, GIVEN)).join('');
    return `${prng.chance(0.12) ? pick(prng, ['小', '老', '阿']) : ''}${character(prng, SURNAMES)}${given}`;
  }
  if (prng.chance(0.12)) {
    const relative = pick(prng, RELATIVES);
    return relative.endsWith(' ') ? relative + surname(prng) : relative;
  }
  const first = prng.chance(0.5) ? pick(prng, FIRST_NAMES) : madeUpName(prng);
  return prng.chance(0.4) ? `${first} ${surname(prng)}` : first;
}

const surname = (prng: Prng): string => (prng.chance(0.4) ? pick(prng, LAST_NAMES) : madeUpName(prng));

const PLACE_KINDS = words(
  'Street Road Lane Avenue Square Park Airport Station Museum Hotel Hospital Bridge Market Hall School Theatre Beach Harbour Tower Mall',
);
const CHINESE_PLACE_KINDS = words(
  '路 街 大道 机场 火车站 公园 医院 酒店 博物馆 广场 大桥 超市 学校 商场 图书馆 码头 大厦 小区 体育馆 地铁站',
);
const PLACE_CHARACTERS =
  '人民中山东西南北长江河海湖山水花园光明新华建设和平胜利红星青年文化科技大学金银龙凤云天阳月春秋松柏竹梅兰桃李杨柳石泉清江安宁永福泰昌兴隆德仁义礼智信宝玉珠虹桥湾口岸城镇村庄关门楼台';
const FAMOUS = words(
  'London Paris Berlin Munich Vienna Rome Madrid Oslo Prague Hamburg Boston Chicago Seattle Sydney Dublin Lyon Porto Milan Zurich Tokyo',
);
const CHINESE_CITIES = words('北京 上海 广州 深圳 杭州 南京 成都 重庆 武汉 西安 苏州 天津 青岛 大连 厦门 长沙 昆明 宁波 无锡 合肥');

/** A place to be guided to, as spoken. */
export function placeName(prng: Prng, language: Language): string {
  if (language === 'zh') {
    if (prng.chance(0.15)) return pick(prng, ['家', '公司', '单位', '学校']);
    if (prng.chance(0.12)) return pick(prng, CHINESE_CITIES);
    const name = Array.from({ length: prng.integer(2, 3) }, () => character(prng, PLACE_CHARACTERS)).join('');
    const city = prng.chance(0.15) ? pick(prng, CHINESE_CITIES) : '';
    const number = prng.chance(0.12) ? `${prng.integer(1, 300)}号` : '';
    return `${city}${name}${pick(prng, CHINESE_PLACE_KINDS)}${number}`;
  }
  if (prng.chance(0.12)) return pick(prng, ['home', 'work', 'the office', 'the airport', 'the city centre', 'the train station', 'school']);
  if (prng.chance(0.1)) return pick(prng, FAMOUS);
  const name = `${prng.chance(0.2) ? pick(prng, ['Old ', 'New ', 'North ', 'South ', 'Upper ', 'Saint ']) : ''}${madeUpName(prng)}`;
  const number = prng.chance(0.2) ? `${prng.integer(1, 200)} ` : '';
  if (prng.chance(0.15)) return `${number}${name}${pick(prng, ['strasse', 'weg', 'gasse', ' Platz'])}`;
  return `${number === '' ? '' : number}${name}${prng.chance(0.85) ? ` ${pick(prng, PLACE_KINDS)}` : ''}`;
}

const ADJECTIVES = words(
  'Blue Golden Silent Broken Midnight Electric Velvet Wild Sweet Lonely Crystal Burning Lost Hidden Endless Purple Summer Winter Gentle Crazy Little Dancing',
);
const NOUNS = words(
  'Rain Road Heart River Sky Dream Fire Moon Train City Ocean Night Light Shadow Garden Star Mirror Bird Storm Letter Window Stranger Planet',
);
const GENRES = [
  'jazz',
  'rock',
  'some rock music',
  'classical music',
  'the news',
  'hip hop',
  'country music',
  'piano music',
  'radio four',
  'folk songs',
  'techno',
];
const SONG_CHARACTERS = '月光夜空海风爱情心梦花雨雪星天地远方少年故乡时间回忆青春路上阳光河流春天秋天晴朗温柔沉默自由城市孤独烟火蝴蝶玫瑰';
const CHINESE_GENRES = ['爵士乐', '摇滚乐', '古典音乐', '新闻', '轻音乐', '儿歌', '民谣', '钢琴曲', '交通广播', '流行音乐'];

/** What to play, as spoken: a title, an artist, both, or a kind of music. */
export function mediaTitle(prng: Prng, language: Language): string {
  if (language === 'zh') {
    if (prng.chance(0.2)) return pick(prng, CHINESE_GENRES);
    const title = Array.from({ length: prng.integer(2, 4) }, () => character(prng, SONG_CHARACTERS)).join('');
    if (prng.chance(0.5)) return title;
    const artist = `${character(prng, SURNAMES)}${character(prng, GIVEN)}${character(prng, GIVEN)}`;
    return prng.chance(0.6) ? `${artist}的${title}` : `${artist}的歌`;
  }
  if (prng.chance(0.15)) return pick(prng, GENRES);
  const noun = prng.chance(0.6) ? pick(prng, NOUNS) : madeUpName(prng);
  const title = prng.chance(0.3) ? `The ${noun}` : `${prng.chance(0.7) ? pick(prng, ADJECTIVES) : madeUpName(prng)} ${noun}`;
  if (prng.chance(0.45)) return title;
  const artist = `${prng.chance(0.5) ? pick(prng, FIRST_NAMES) : madeUpName(prng)} ${surname(prng)}`;
  return prng.chance(0.5) ? `${title} by ${artist}` : artist;
}

const MINUTES = ['five', 'ten', 'fifteen', 'twenty', 'thirty', 'forty', 'fifty'];
const CHINESE_MINUTES = ['五', '十', '十五', '二十', '三十', '四十', '五十'];
const THINGS = words('milk bread coffee flowers keys tickets dinner cake water rice fruit wine cheese books shoes');
const CHINESE_THINGS = words('牛奶 面包 咖啡 鲜花 钥匙 车票 晚饭 蛋糕 水果 大米 药 书 礼物 雨伞');

/** The text of a short message, as dictated. */
export function messageText(prng: Prng, language: Language): string {
  if (language === 'zh') {
    return pick<() => string>(prng, [
      () => `我${pick(prng, CHINESE_MINUTES)}分钟后到`,
      () => `我在${placeName(prng, 'zh')}等你`,
      () => `今天我会晚到${pick(prng, CHINESE_MINUTES)}分钟`,
      () => `别忘了买${pick(prng, CHINESE_THINGS)}`,
      () => `我们${pick(prng, ['明天', '后天', '周一', '周五', '今晚', '中午'])}${pick(prng, ['见', '再说', '吃饭', '开会', '出发'])}`,
      () => `${pick(prng, CHINESE_THINGS)}已经买好了`,
      () => `我刚刚${pick(prng, ['出发', '下班', '到家', '起床', '吃完饭'])}`,
      () => `${pick(prng, ['路上', '高速上', '市区'])}堵车了`,
      () => `你到${placeName(prng, 'zh')}了吗`,
    ])();
  }
  return pick<() => string>(prng, [
    () => `I ${pick(prng, ['will be', 'am'])} ${pick(prng, MINUTES)} minutes ${pick(prng, ['late', 'away'])}`,
    () => `see you ${pick(prng, ['tomorrow', 'tonight', 'on Monday', 'on Friday', 'at noon', 'at seven', 'soon'])}`,
    () => `please buy ${pick(prng, THINGS)}${prng.chance(0.4) ? ` and ${pick(prng, THINGS)}` : ''}`,
    () => `meet me at ${placeName(prng, 'en')}`,
    () => `I am ${pick(prng, ['on my way', 'stuck in traffic', 'almost there', 'at home', 'leaving now', 'running late'])}`,
    () => `do not forget the ${pick(prng, THINGS)}`,
    () =>
      `the ${pick(prng, ['meeting', 'party', 'lesson', 'game', 'train', 'show'])} ${pick(prng, ['starts', 'ends', 'leaves'])} at ${pick(prng, ['six', 'eight', 'nine', 'noon'])}`,
    () =>
      `${pick(prng, ['happy birthday', 'good luck', 'well done', 'get well soon', 'thank you'])}${prng.chance(0.5) ? ` ${pick(prng, FIRST_NAMES)}` : ''}`,
    () => `I have the ${pick(prng, THINGS)}`,
  ])();
}

const ROOMS = words('kitchen bathroom hallway garage garden office bedroom library lobby workshop balcony door entrance elevator');
const CHINESE_ROOMS = words('厨房 浴室 走廊 车库 花园 办公室 卧室 书房 大厅 阳台 门口 客厅 电梯口 餐厅 仓库 会议室');

/** A place on a robot's map, as spoken, without its article. */
export function roomName(prng: Prng, language: Language): string {
  if (language === 'zh') {
    if (prng.chance(0.6)) return pick(prng, CHINESE_ROOMS);
    return prng.chance(0.5)
      ? `${prng.integer(1, 40)}号房间`
      : `${character(prng, SURNAMES)}${character(prng, GIVEN)}的${pick(prng, ['桌子', '房间', '办公室', '床'])}`;
  }
  if (prng.chance(0.5)) return pick(prng, ROOMS);
  return prng.chance(0.4)
    ? `room ${prng.integer(1, 400)}`
    : `${madeUpName(prng)} ${pick(prng, ['room', 'desk', 'hall', 'table', 'shelf', 'lab'])}`;
}

/** What a robot is to say aloud. */
export function spokenText(prng: Prng, language: Language): string {
  if (prng.chance(0.35)) return messageText(prng, language);
  if (language === 'zh') {
    return pick<() => string>(prng, [
      () => `${pick(prng, ['早上好', '晚上好', '你好', '欢迎', '再见', '谢谢'])}${prng.chance(0.6) ? personName(prng, 'zh') : '大家'}`,
      () => `${pick(prng, ['晚饭', '早饭', '午饭', '会议', '游戏'])}${pick(prng, ['准备好了', '开始了', '结束了'])}`,
      () => `请${pick(prng, ['让一让', '小心', '安静', '跟我来', '排队', '关门'])}`,
    ])();
  }
  return pick<() => string>(prng, [
    () =>
      `${pick(prng, ['good morning', 'good evening', 'hello', 'welcome', 'goodbye'])} ${prng.chance(0.6) ? personName(prng, 'en') : 'everybody'}`,
    () => `${pick(prng, ['dinner', 'lunch', 'breakfast', 'the meeting', 'the game'])} is ${pick(prng, ['ready', 'over', 'starting'])}`,
    () => `please ${pick(prng, ['let me pass', 'be careful', 'be quiet', 'follow me', 'wait here', 'close the door'])}`,
  ])();
}
