import { type Intent, inTongue, says } from '../intent.ts';

/** One fixed answer to all sentences. */
function reply(id: string, answer: readonly [en: string, zh: string], en: readonly string[], zh: readonly string[], weight = 0.8): Intent {
  return { id: `talk/${id}`, world: 'both', tone: 'talk', weight, en, zh, answer: ({ language }) => says(inTongue(language, ...answer)) };
}

export const talk: readonly Intent[] = [
  reply(
    'hello',
    ['Hello! What can I do?', '你好！需要我做什么？'],
    [
      '(hello|hi|hey)( there| coxswain|)',
      'good (morning|afternoon|evening)( coxswain|)',
      '(hello|hi) again',
      'hey you',
      'greetings',
      'hello my friend',
      'hi coxswain, good (morning|evening)',
    ],
    ['(你好|您好|嗨)(小舵|)', '(早上|下午|晚上)好', '(哈喽|哈啰)', '(你好啊|嗨)', '大家好', '你好呀'],
  ),
  reply(
    'thanks',
    ['You are welcome.', '不客气。'],
    [
      '(thanks|thank you)( a lot| very much| so much|)',
      'many thanks',
      '(great|perfect|nice|very good),? (thanks|thank you)',
      'that was (great|very good|perfect)( thanks|)',
      'well done',
      'good job',
      'I thank you',
    ],
    ['(谢谢|多谢|谢了)(你|您|)', '(太好了|很好|不错)(谢谢|)', '非常感谢', '(干得好|做得好|真棒)', '谢谢(小舵|啊)'],
  ),
  reply(
    'bye',
    ['Goodbye!', '再见！'],
    [
      '(goodbye|bye|bye bye)( coxswain|)',
      'see you (later|soon|tomorrow)',
      'good night( coxswain|)',
      'until (later|tomorrow)',
      'that is all( for today| thanks|)',
      'bye for now',
    ],
    ['(再见|拜拜)(小舵|)', '(回头|明天|待会)见', '晚安', '(就这样|没事了)', '明天见'],
  ),
  reply(
    'who',
    ['I am Coxswain, your assistant on board.', '我是Coxswain，您的随行助手。'],
    [
      'who are you',
      'what is your name',
      '(tell me|say) (who you are|your name)',
      'what are you( called|)',
      'do you have a name',
      'who am I (talking|speaking) (to|with)',
      'introduce yourself',
    ],
    ['你是谁', '你(叫|是)什么(名字|)', '(介绍|说)一下(你|)自己', '你有名字吗', '我在(跟|和)谁说话', '你的名字是什么'],
  ),
  reply(
    'how',
    ['All is well. And you?', '一切都好。您呢？'],
    [
      'how are you( today| doing|)',
      'how (is it going|do you do|do you feel)',
      'are you (okay|fine|well)( today|)',
      'how do you feel today',
      'is everything (okay|fine)( with you|)',
      'how have you been',
    ],
    ['你好吗', '你(今天|)(怎么样|好不好)', '你(还|)好吗', '(最近|今天)(怎么样|好吗)', '你感觉怎么样'],
  ),
  reply(
    'human',
    ['No, I am a small program.', '不是，我是一个小程序。'],
    [
      'are you (a human|human|a person|real)',
      'are you a (real person|robot|machine|computer)',
      'am I (talking|speaking) to a (person|human|machine)',
      'are you (alive|intelligent)',
      'do you have (feelings|a heart)',
      'is there a (human|person) (talking|speaking)',
    ],
    ['你是(人|真人|人类|机器)吗', '你是不是(人|真人|机器人)', '我在(跟|和)(人|真人|机器)说话吗', '你有感情吗', '你(活着|有心)吗'],
  ),
  {
    id: 'talk/abilities',
    world: 'vehicle',
    tone: 'talk',
    weight: 0.6,
    en: [
      'what can you do( for me|)',
      'how can you help( me|)',
      '(tell me|show me) what you can do',
      'what are you able to do',
      'what (may|can) I ask( you|)',
      'help( me|)',
      'what do you know',
    ],
    zh: [
      '你(会|能)(做|干)什么',
      '你有什么功能',
      '你能帮我做什么',
      '(告诉我|说说)你(会|能)做什么',
      '我(能|可以)问(你|)什么',
      '帮助',
      '你会什么',
    ],
    answer: ({ language }) =>
      says(
        inTongue(
          language,
          'I look after climate, windows, doors, lights, music, the way and the phone.',
          '我管空调、车窗、车门、灯光、音乐、导航和电话。',
        ),
      ),
  },
  {
    id: 'talk/abilities-robot',
    world: 'robot',
    tone: 'talk',
    weight: 0.6,
    en: [
      'what can you do( for me|)',
      'how can you help( me|)',
      '(tell me|show me) what you can do',
      'what are you able to do',
      'what (may|can) I ask( you|)',
      'help( me|)',
      'what do you know',
    ],
    zh: [
      '你(会|能)(做|干)什么',
      '你有什么功能',
      '你能帮我做什么',
      '(告诉我|说说)你(会|能)做什么',
      '我(能|可以)问(你|)什么',
      '帮助',
      '你会什么',
    ],
    answer: ({ language }) =>
      says(
        inTongue(language, 'I drive, turn, go to places, follow you, look and speak.', '我会行走、转弯、去指定的地方、跟随您、看和说话。'),
      ),
  },
];
