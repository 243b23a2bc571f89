import type { Prng } from '../../src/core/prng.ts';
import { type Language, pick } from './open-values.ts';
import type { Slot } from './slots.ts';

type Words = readonly [en: string, zh: string];

/** Words beside the world of the tools, none of them a thing that the camera knows: what is said of them is to be refused. */
const WORDS: Readonly<Record<string, Words>> = {
  object: [
    `hammer|ladder|sofa cover|jacket|sweater|necklace|bracelet|mattress|wardrobe|pillow|blanket|candle|bucket|broom|screwdriver|drill|rope|tent|guitar|piano|violin|drum|helmet|scarf|belt|hat|sunglasses case|passport|wallet|ring|diamond|coin|stamp|poster|painting|statue|mirror ball|lamp shade|shelf|drawer|curtain rail|rug|towel|soap|shampoo|perfume|lipstick|razor|notebook|pencil|stapler|calculator|printer|projector|telescope|microscope|compass|map|globe|flag|trophy|puzzle|doll|drone|scooter|canoe|anchor|parachute|wheelbarrow|shovel|hose|lawn chair|barbecue|grill|cupboard|fish tank|bird house|toolbox|battery pack|cable|charger cable|hard disk|monitor|tablet|smartwatch|headset|game console|bandage|thermometer|crutch|wig|tuxedo|wedding dress|boots|sandals|socks|gloves|raincoat|sleeping bag|water bottle|lunch box|jar|barrel|crate|brick|plank|nail|screw|glue stick|tape|balloon|kite string|yo-yo|magnet|whistle|trumpet|harp|flute|cactus|bonsai|bouquet|wreath|pumpkin|turnip`,
    `锤子|梯子|外套|毛衣|项链|手镯|床垫|衣柜|枕头|毯子|蜡烛|水桶|扫帚|螺丝刀|绳子|帐篷|吉他|钢琴|小提琴|鼓|头盔|围巾|皮带|帽子|护照|钱包|戒指|钻石|硬币|邮票|海报|雕像|架子|抽屉|地毯|毛巾|肥皂|洗发水|香水|口红|剃须刀|笔记本|铅笔|订书机|计算器|打印机|投影仪|望远镜|显微镜|指南针|地球仪|旗子|奖杯|拼图|洋娃娃|无人机|滑板车|独木舟|降落伞|铲子|水管|烧烤架|工具箱|充电宝|数据线|硬盘|显示器|平板|手环|耳机|游戏机|创可贴|体温计|婚纱|靴子|凉鞋|袜子|手套|雨衣|睡袋|水壶|饭盒|罐子|砖头|木板|钉子|胶带|气球|磁铁|哨子|小号|仙人掌|花束|南瓜|萝卜`,
  ],
  gadget: [
    `kettle|toaster oven|washing machine|tumble dryer|dishwasher|vacuum cleaner|robot vacuum|television|tv set|coffee machine|coffee maker|espresso machine|rice cooker|blender|mixer|food processor|bread maker|slow cooker|deep fryer|air fryer|hob|stove|cooker|freezer|dehumidifier|humidifier|air purifier|electric blanket|hair straightener|iron|sewing machine|lawn mower|leaf blower|sprinkler|hot tub|sauna|boiler|water heater|alarm system|doorbell camera|baby monitor|smart speaker|router|modem|printer|scanner|computer|desktop|projector|game console|record player|jukebox|3d printer|shredder|chainsaw|pressure washer|garden hose|pond pump|garage lamp|porch light|bedside lamp|floor lamp|christmas lights|night light|security camera|smart plug|electric fireplace|towel warmer|juicer|waffle iron|popcorn machine|ice maker`,
    `电水壶|洗衣机|烘干机|洗碗机|吸尘器|扫地机器人|电视机|咖啡机|电饭煲|搅拌机|豆浆机|面包机|空气炸锅|电磁炉|煤气灶|冰柜|除湿机|加湿器|空气净化器|电热毯|熨斗|缝纫机|割草机|洒水器|热水器|锅炉|报警器|婴儿监视器|智能音箱|路由器|打印机|扫描仪|台式电脑|投影仪|游戏机|唱片机|碎纸机|电锯|台灯|落地灯|圣诞灯|小夜灯|监控摄像头|智能插座|浴霸|榨汁机|晾衣架|饮水机|消毒柜|电风扇`,
  ],
  food: [
    `pizza dough|spaghetti|lasagna|noodles|rice|soup|salad|steak|chicken|fish and chips|tofu|curry|sushi|tacos|burritos|pancakes|waffles|porridge|cereal|eggs|bacon|sausages|ham|cheese|butter|yoghurt|milk|tea|lemonade|beer|wine|whisky|juice|cola|mineral water|chocolate|cookies|biscuits|ice cream|cake mix|apple pie|jam|honey|peanut butter|bread|bagels|croissants|potatoes|tomatoes|cucumbers|onions|garlic|mushrooms|spinach|peas|beans|lentils|strawberries|cherries|grapes|melons|lemons|peaches|plums|raspberries|nuts|olives|mustard|ketchup|pepper|salt|flour|sugar|oil|vinegar|dumplings|kebab|meatballs|shrimps|lobster|salmon|pasta|french fries|popcorn|crisps|gum|candy|marshmallows|pudding|smoothies|diapers|toilet paper|washing powder|dog food|cat litter|stamps|light bulbs|batteries|aspirin|vitamins|sunscreen`,
    `意大利面|面条|米饭|汤|沙拉|牛排|鸡肉|豆腐|咖喱|寿司|煎饼|粥|鸡蛋|培根|香肠|奶酪|黄油|酸奶|牛奶|绿茶|柠檬水|啤酒|红酒|白酒|果汁|可乐|矿泉水|巧克力|饼干|冰淇淋|苹果派|果酱|蜂蜜|面包|土豆|西红柿|黄瓜|洋葱|大蒜|蘑菇|菠菜|豆子|草莓|樱桃|葡萄|西瓜|柠檬|桃子|坚果|酱油|醋|盐|面粉|白糖|食用油|饺子|包子|馒头|烤鸭|红烧肉|虾|龙虾|三文鱼|薯条|爆米花|薯片|口香糖|糖果|布丁|月饼|粽子|奶茶|火锅底料|尿布|卫生纸|洗衣粉|狗粮|猫砂|灯泡|电池|阿司匹林|维生素|防晒霜`,
  ],
  creature: [
    `hamster|rabbit|parrot|goldfish|turtle|snake|lizard|frog|spider|snail|bee|butterfly|ant|mosquito|fly|pig|goat|donkey|duck|goose|chicken|rooster|turkey|swan|owl|eagle|penguin|dolphin|whale|shark|octopus|crab|lobster|seal|wolf|fox|deer|moose|squirrel|hedgehog|mole|rat|bat|monkey|gorilla|lion|tiger|leopard|panda|koala|kangaroo|camel|llama|hippo|rhino|crocodile|dinosaur|dragon|unicorn|goblin|mermaid|worm|beetle|wasp|pigeon|crow|peacock|ostrich|flamingo|walrus|otter|beaver|badger|guinea pig|pony|puppy|kitten`,
    `仓鼠|兔子|鹦鹉|金鱼|乌龟|蛇|蜥蜴|青蛙|蜘蛛|蜗牛|蜜蜂|蝴蝶|蚂蚁|蚊子|苍蝇|猪|山羊|驴|鸭子|鹅|母鸡|公鸡|火鸡|天鹅|猫头鹰|老鹰|企鹅|海豚|鲸鱼|鲨鱼|章鱼|螃蟹|龙虾|海豹|狼|狐狸|鹿|松鼠|刺猬|老鼠|蝙蝠|猴子|大猩猩|狮子|老虎|豹子|熊猫|考拉|袋鼠|骆驼|河马|犀牛|鳄鱼|恐龙|龙|独角兽|美人鱼|虫子|甲虫|鸽子|乌鸦|孔雀|鸵鸟|火烈鸟|水獭|獾|豚鼠|小马|小狗崽|小猫崽`,
  ],
  person_kind: [
    `plumber|electrician|babysitter|gardener|cook|cleaner|tailor|hairdresser|barber|dentist|lawyer|judge|accountant|teacher|professor|student|nurse|surgeon|vet|pharmacist|pilot|sailor|astronaut|soldier|farmer|butcher|baker|waiter|bartender|actor|dancer|painter|writer|poet|singer|drummer|clown|magician|priest|monk|detective|thief|spy|mayor|senator|princess|prince|knight|wizard|witch|ghost|vampire|zombie|neighbour|landlord|roommate|colleague|cousin|uncle|aunt|nephew|niece|grandson|stepmother|girlfriend|boyfriend|ex|best friend|fiancee|coach|referee|goalkeeper|boxer|jockey|scientist|engineer|programmer|carpenter|roofer|mechanic friend|postman|librarian|tourist|stranger|genius`,
    `水管工|电工|保姆|园丁|厨师|清洁工|裁缝|理发师|牙医|律师|法官|会计|老师|教授|学生|护士|兽医|药剂师|飞行员|水手|宇航员|士兵|农民|屠夫|面包师|服务员|演员|舞蹈家|画家|作家|诗人|歌手|鼓手|小丑|魔术师|和尚|侦探|小偷|间谍|市长|公主|王子|骑士|巫师|幽灵|吸血鬼|僵尸|邻居|房东|室友|同事|表弟|叔叔|阿姨|侄子|侄女|孙子|女朋友|男朋友|前任|闺蜜|教练|裁判|守门员|拳击手|科学家|工程师|程序员|木匠|邮递员|图书管理员|游客|陌生人|天才`,
  ],
  subject: [
    `chemistry|biology|astronomy|geography|philosophy|psychology|sociology|linguistics|archaeology|economics|politics|mathematics|geometry|statistics|literature|grammar|medicine|anatomy|genetics|geology|botany|zoology|mythology|theology|law|architecture|art history|music theory|computer science|cryptography|robotics|quantum mechanics|relativity|thermodynamics|the middle ages|the renaissance|the cold war|the french revolution|world history|democracy|capitalism|feminism|buddhism|evolution|global warming|nuclear power|vaccination|the stock market|inflation|marketing|astrology`,
    `化学|生物|天文学|地理|哲学|心理学|社会学|语言学|考古学|经济学|政治|数学|几何|统计学|文学|语法|医学|解剖学|遗传学|地质学|植物学|动物学|神话|法律|建筑学|艺术史|乐理|计算机科学|密码学|量子力学|相对论|热力学|中世纪|文艺复兴|法国大革命|世界史|民主|资本主义|佛教|进化论|全球变暖|核能|疫苗|股市|通货膨胀|市场营销|星座`,
  ],
  sport: [
    `football|rugby|cricket|basketball|volleyball|handball|hockey|ice skating|curling|golf|badminton|table tennis|squash|boxing|wrestling|judo|karate|fencing|archery|gymnastics|ballet|yoga|pilates|running|marathon running|cycling|rowing|sailing|surfing|diving|swimming|skiing|snowboarding|climbing|hiking|camping|fishing|hunting|horse riding|darts|bowling|snooker|chess|poker|bridge|knitting|pottery|juggling|skateboarding|parkour|weight lifting`,
    `足球|橄榄球|板球|篮球|排球|手球|冰球|滑冰|冰壶|高尔夫|羽毛球|乒乓球|拳击|摔跤|柔道|空手道|击剑|射箭|体操|芭蕾|瑜伽|普拉提|跑步|马拉松|骑行|划船|帆船|冲浪|潜水|游泳|滑雪|攀岩|徒步|露营|钓鱼|打猎|骑马|飞镖|保龄球|台球|象棋|围棋|扑克|编织|陶艺|杂耍|跑酷|举重|太极拳|跳绳`,
  ],
  tongue: [
    `french|german|spanish|italian|portuguese|dutch|swedish|norwegian|danish|finnish|polish|czech|hungarian|romanian|greek|turkish|russian|ukrainian|arabic|hebrew|persian|hindi|urdu|bengali|tamil|thai|vietnamese|indonesian|malay|korean|japanese|cantonese|mongolian|swahili|zulu|latin|esperanto|klingon|welsh|irish|basque|icelandic|hawaiian`,
    `法语|德语|西班牙语|意大利语|葡萄牙语|荷兰语|瑞典语|挪威语|丹麦语|芬兰语|波兰语|捷克语|匈牙利语|希腊语|土耳其语|俄语|阿拉伯语|希伯来语|波斯语|印地语|泰语|越南语|印尼语|马来语|韩语|日语|粤语|上海话|四川话|蒙古语|拉丁语|世界语|藏语`,
  ],
  app: [
    `facebook|instagram|tiktok|snapchat|twitter|youtube|netflix|whatsapp|telegram|gmail|outlook|slack|zoom|teams|skype|amazon|ebay|paypal|uber|airbnb|tinder|linkedin|reddit|wikipedia|chrome|firefox|excel|word|powerpoint|photoshop|minecraft|candy crush|pokemon go|duolingo|the bank app|the weather app|google drive|dropbox`,
    `微信|微博|抖音|快手|小红书|淘宝|京东|拼多多|支付宝|美团|滴滴|知乎|哔哩哔哩|优酷|爱奇艺|钉钉|腾讯会议|邮箱|浏览器|王者荣耀|原神|百度网盘|豆瓣|闲鱼|携程|银行软件`,
  ],
  ailment: [
    `headache|migraine|toothache|sore throat|cough|cold|fever|flu|back pain|stomach ache|rash|sunburn|hay fever|insomnia|hangover|heartburn|hiccups|nosebleed|sprained ankle|broken arm|high blood pressure|diabetes|asthma|allergies|acne|dandruff|cramps|dizziness|nausea|bee sting|blister|ear ache|itching`,
    `头痛|偏头痛|牙疼|喉咙痛|咳嗽|感冒|发烧|流感|背痛|胃痛|皮疹|晒伤|花粉症|失眠|宿醉|打嗝|流鼻血|脚扭伤|骨折|高血压|糖尿病|哮喘|过敏|痘痘|头皮屑|抽筋|头晕|恶心|水泡|耳鸣|腹泻|颈椎病`,
  ],
  adjective: [
    `purple|tiny|gigantic|invisible|angry|sleepy|lazy|brave|clumsy|wooden|golden|rusty|fluffy|sticky|ancient|haunted|electric|edible|square|round|drunk|bald|grumpy|jealous|nervous|noble|lonely|famous|secret|magic|broken|shiny|dusty|frozen pink|striped|hollow|flying|talking|dancing|naked|rich|poor|honest|evil|holy`,
    `紫色的|微小的|巨大的|隐形的|生气的|困倦的|懒惰的|勇敢的|笨拙的|木头的|金色的|生锈的|毛茸茸的|古老的|方形的|圆圆的|喝醉的|秃头的|嫉妒的|紧张的|孤独的|著名的|神秘的|魔法的|破碎的|闪亮的|会飞的|会说话的|跳舞的|有钱的|贫穷的|诚实的|邪恶的`,
  ],
};

const MIXED = ['object', 'gadget', 'food', 'creature', 'person_kind', 'subject', 'sport', 'ailment', 'adjective'];

const lists = new Map(Object.entries(WORDS).map(([name, [en, zh]]) => [name, { en: en.split('|'), zh: zh.split('|') }]));

const wordOf = (name: string, prng: Prng, language: Language): string => pick(prng, lists.get(name)?.[language] ?? []);

const said = (say: (prng: Prng, language: Language) => string): Slot => ({
  isSplit: false,
  draw: (prng, language) => {
    const text = say(prng, language);
    return { text, value: text };
  },
});

function plural(word: string): string {
  if (/(?:mouse|goose)$/u.test(word)) return word.replace('mouse', 'mice').replace('goose', 'geese');
  if (word.endsWith('wolf')) return word.replace(/f$/u, 'ves');
  if (/(?:s|x|ch|sh)$/u.test(word)) return `${word}es`;
  return /[^aeiou]y$/u.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
}

const many = (name: string): Slot =>
  said((prng, language) => (language === 'en' ? plural(wordOf(name, prng, language)) : wordOf(name, prng, language)));

/** Slots of what is refused in the further templates of `--wide`; none of them is ever held out, and no answer says them back. */
export const wideSlots: Readonly<Record<string, Slot>> = {
  ...Object.fromEntries([...lists.keys()].map((name) => [name, said((prng, language) => wordOf(name, prng, language))])),
  creature_many: many('creature'),
  person_kind_many: many('person_kind'),
  /** Two to five words that mean nothing together. */
  salad: said((prng, language) =>
    Array.from({ length: prng.integer(2, 5) }, () => wordOf(pick(prng, MIXED), prng, language)).join(language === 'en' ? ' ' : ''),
  ),
  two_digits: said((prng) => String(prng.integer(10, 99))),
};
