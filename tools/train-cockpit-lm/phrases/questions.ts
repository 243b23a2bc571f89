import type { RobotState, VehicleState } from '../../../src/models/language/situation.ts';
import { type Answer, type Asked, type Intent, inTongue, says } from '../intent.ts';

const unknown = (asked: Asked): Answer => says(inTongue(asked.language, 'I do not know that right now.', '这个我现在不知道。'));

type Said = readonly [en: string, zh: string];

const tell = (asked: Asked, said: Said | undefined): Answer =>
  said === undefined ? unknown(asked) : says(inTongue(asked.language, ...said));

function ofVehicle(
  id: string,
  en: readonly string[],
  zh: readonly string[],
  say: (state: VehicleState) => Said | undefined,
  weight = 1.5,
): Intent {
  const answer = (asked: Asked): Answer => tell(asked, asked.situation.state.kind === 'vehicle' ? say(asked.situation.state) : undefined);
  return { id: `state/${id}`, world: 'vehicle', tone: 'question', weight, en, zh, answer };
}

function ofRobot(
  id: string,
  en: readonly string[],
  zh: readonly string[],
  say: (state: RobotState) => Said | undefined,
  weight = 1.5,
): Intent {
  const answer = (asked: Asked): Answer => tell(asked, asked.situation.state.kind === 'robot' ? say(asked.situation.state) : undefined);
  return { id: `state/robot-${id}`, world: 'robot', tone: 'question', weight, en, zh, answer };
}

/** What is said of a field that is known. */
const when = <T>(value: T | undefined, say: (value: T) => Said): Said | undefined => (value === undefined ? undefined : say(value));

export const questions: readonly Intent[] = [
  ofVehicle(
    'speed',
    [
      'how fast (are we|am I|do we|is the car) (going|driving|go|moving)',
      '(what is|tell me) (our|my|the) (current |)speed',
      'how fast are we( now|)',
      '(our|my|the current) speed( please|)',
      'at what speed are we (going|driving|moving)',
      'am I (driving|going) too fast',
      'what does the speedometer (say|show)',
      'are we (moving|driving|standing)',
    ],
    [
      '(现在|当前|)(车速|速度)(多少|是多少|多快)',
      '(我们|我|车)(开|走)(得|)(多快|多少)',
      '(现在|)时速(多少|是多少)',
      '(我们|我)开得快吗',
      '告诉我(车速|速度)',
      '(我们|车)在(动|走|开)吗',
    ],
    ({ speedKmh }) =>
      when(speedKmh, (speed) =>
        speed === 0 ? ['We are standing.', '车停着。'] : [`We are going ${speed} km/h.`, `现在车速${speed}公里。`],
      ),
    1.3,
  ),
  ofVehicle(
    'battery',
    [
      'how (full|much) (is the battery|battery is left|battery do we have)',
      '(what is|tell me) the (battery level|state of charge|charge)',
      '(battery|charge) (level|status)( please|)',
      'how much (charge|power|energy) (is left|do we have|have we got)',
      'what does the battery (say|show)',
      'is the battery (full|charged)',
      'how is the battery',
    ],
    [
      '(电量|电池)(还有|还剩|是)多少',
      '还有多少电',
      '(现在|当前|)电量(多少|是多少)',
      '电池(怎么样|满吗|满了吗)',
      '告诉我(电量|电池状态)',
      '(电池|车)还剩多少电',
    ],
    ({ batteryPercent }) => when(batteryPercent, (battery) => [`The battery is at ${battery} percent.`, `电量还有${battery}%。`]),
  ),
  ofVehicle(
    'range',
    [
      'how far (can we|can I|will we|does the car) (go|get|drive|still go)',
      '(what is|tell me) (the|our|my) (range|remaining range)',
      'how many (kilometres|kilometers) (are left|can we drive|do we have)',
      '(range|remaining range)( please|)',
      'how much range (is left|do we have)',
      'how far does the (battery|charge) (take|get) us',
    ],
    [
      '还(能|可以)(开|跑|走)多(远|少公里)',
      '(续航|剩余里程)(多少|还有多少|是多少)',
      '(我们|车)(还能|能)(开|跑)多远',
      '告诉我续航',
      '剩余(续航|里程)',
      '电(还|)(够|能)(开|跑)多远',
    ],
    ({ rangeKm }) => when(rangeKm, (range) => [`We can go ${range} km.`, `还能开${range}公里。`]),
  ),
  ofVehicle(
    'inside',
    [
      '(how warm|how cold|how hot|what temperature) is it (in here|inside|in the car)',
      '(what is|tell me) the (inside|cabin|interior) temperature',
      '(inside|cabin|interior) temperature( please|)',
      'what is the temperature (in here|inside|in the car)',
      'is it (warm|cold|hot) (in here|inside|in the car)',
    ],
    [
      '(车内|车里)(温度|)(多少度|是多少|几度)',
      '(车里|里面)(热|冷)吗',
      '(现在|)车内温度',
      '告诉我车内温度',
      '车里(现在|)几度',
      '里面(多少|几)度',
    ],
    ({ insideC }) => when(insideC, (celsius) => [`It is ${celsius} degrees inside.`, `车内${celsius}度。`]),
  ),
  ofVehicle(
    'outside',
    [
      '(how warm|how cold|how hot|what temperature) is it (outside|out there|outdoors)',
      '(what is|tell me) the (outside|outdoor) temperature',
      '(outside|outdoor) temperature( please|)',
      'what is the temperature (outside|out there)',
      'is it (warm|cold|hot) (outside|out there)',
    ],
    [
      '(车外|外面|室外)(温度|)(多少度|是多少|几度)',
      '外面(热|冷)吗',
      '(现在|)(车外|室外)温度',
      '告诉我(车外|室外|外面的)温度',
      '外面(现在|)几度',
      '外面(多少|几)度',
    ],
    ({ outsideC }) => when(outsideC, (celsius) => [`It is ${celsius} degrees outside.`, `车外${celsius}度。`]),
  ),
  ofVehicle(
    'wished',
    [
      'what (temperature is set|is the temperature set to)',
      'what is the (set|wished) temperature',
      'to what is the (ac|climate|air conditioning|heating) set',
      'which temperature (is|did I) set',
      'what did I set the (temperature|climate|ac) to',
    ],
    [
      '(空调|温度)(设|设定|调)(的是|在|了)多少度',
      '(设定|设置)温度(是|)多少',
      '空调(现在|)多少度',
      '我(设|调)了多少度',
      '(设定|设置)的温度(是|)几度',
    ],
    ({ wishedC }) => when(wishedC, (celsius) => [`It is set to ${celsius} degrees.`, `设定的是${celsius}度。`]),
    0.6,
  ),
  ofVehicle(
    'guidance',
    [
      '(when|how soon) (do|will) we (arrive|get there|be there)',
      'how (long|much longer) (will it take|does it take|until we arrive|is the drive|do we need)',
      'how far is it (to|until) (the destination|our goal|there)',
      '(are we there yet|is it still far)',
      'how many (minutes are left|(minutes|kilometres) (to go|until the destination))',
      'where (are we going|does this route lead|are you taking me)',
      'what is (our|the|my) destination',
      '(what is|tell me) the arrival time',
    ],
    [
      '(还有|还要)(多久|多长时间)(到|能到|才到)',
      '(什么时候|几点)(到|能到)',
      '(离|到)目的地(还有|)多远',
      '(我们|)(要|是)去哪里(的|)',
      '目的地(是|在)哪里',
      '(到了吗|快到了吗|还远吗)',
      '还有多少(分钟|公里)',
    ],
    ({ guidance }) =>
      when(guidance, ({ place, distanceKm, minutes }) => [
        `${distanceKm} km to ${place}, ${minutes} minutes.`,
        `到${place}还有${distanceKm}公里，${minutes}分钟。`,
      ]),
    1.2,
  ),
  ofVehicle(
    'playing',
    [
      'what (is playing|song is this|am I listening to|are we listening to)( now|)',
      '(which|what) (song|track|title|music) is (this|that|playing|on)( now|)',
      '(what is|tell me) the (name|title) of (this|the) (song|track)',
      '(who|what) is this( song| music|)',
      'what is on( now|)',
      'do you know (this|the) (song|track)',
    ],
    [
      '(现在|)(在放|放的是|播放的是)什么(歌|音乐|)',
      '这(是|首歌叫|首是)什么(歌|名字|)',
      '(这首歌|这首)(叫什么|是什么)(名字|)',
      '(我|我们)在听什么',
      '告诉我(歌名|这首歌的名字)',
      '什么歌',
    ],
    ({ playing }) => when(playing, (title) => [`This is ${title}.`, `正在播放${title}。`]),
  ),
  ofVehicle(
    'locked',
    [
      '(are the doors|is the car) (locked|unlocked|open)',
      'did (I|you) lock the (car|doors)',
      'tell me (if|whether) the (car is|doors are) locked',
      'is everything locked',
      'did I forget to lock the (car|doors)',
      'are (we|the doors) locked( in|)',
    ],
    [
      '(车门|车|门)(锁了|锁上了|锁好了)(吗|没有)',
      '(我|)有没有锁车',
      '(我|你)锁车(门|)了吗',
      '车门(是|)(锁着|开着)(的|)吗',
      '都锁(好|上)了吗',
      '告诉我车门锁了没有',
    ],
    ({ isLocked }) =>
      when(isLocked, (locked) => (locked ? ['Yes, the doors are locked.', '车门已锁。'] : ['The doors are not locked.', '车门没有锁。'])),
    0.7,
  ),
  ofVehicle(
    'windows',
    [
      '(are|is) (the windows|a window|any window|all windows) (open|closed|shut)',
      'did (I|you) (close|leave open) the windows',
      'tell me (if|whether) (a window is|the windows are) (open|closed)',
      'which windows are open',
      'did I forget to close (a window|the windows)',
    ],
    [
      '(车窗|窗户|窗)(关了|关好了|开着|关着)(吗|没有)',
      '(我|)有没有关窗',
      '(我|你)关(窗|车窗)了吗',
      '(有没有|哪个)(车窗|窗户)开着',
      '告诉我(车窗|窗户)关了没有',
    ],
    ({ windows }) =>
      when(windows, (state) => (state === 'open' ? ['A window is open.', '有车窗开着。'] : ['The windows are closed.', '车窗都关着。'])),
    0.7,
  ),
  ofVehicle(
    'volume',
    [
      '(what is|tell me) the volume',
      'how loud is (it|the music)',
      'what is the volume set to',
      'to what is the volume set',
      'how (high|loud) is the volume',
    ],
    ['(音量|声音)(是|)多少', '(现在|)音量(多大|是多少)', '声音(开|设)(了|到)多少', '告诉我音量', '音量(设|调)(了|在)多少'],
    ({ volumePercent }) => when(volumePercent, (percent) => [`The volume is at ${percent} percent.`, `音量是${percent}%。`]),
    0.6,
  ),
  ofVehicle(
    'gear',
    [
      '(which|what) gear (are we|am I|is it|is the car) in',
      '(what is|tell me) the gear',
      'are we in (drive|reverse|park|neutral)',
      'which gear (is on|is in|is it)',
      'the (current |)gear( please|)',
    ],
    ['(现在|)(是|在|挂的是)(什么|几)(挡|档)', '(挡位|档位)(是|)(什么|多少)', '告诉我(挡位|档位)', '(我|车)在什么(挡|档)'],
    ({ gear }) => when(gear, (letter) => [`Gear ${letter} is in.`, `现在是${letter}挡。`]),
    0.5,
  ),
  {
    id: 'state/time',
    world: 'both',
    tone: 'question',
    weight: 1,
    en: [
      'what time is it( now|)',
      '(what is|tell me) the time',
      'how late is it',
      'do you (know|have) the time',
      'the time( please|)',
      'what does the clock (say|show)',
      'is it late',
    ],
    zh: ['(现在|)(几点|几点钟)(了|)', '(现在|)(是|)什么时间', '告诉我时间', '时间(是|)多少', '(报|说)(一下|)时间', '(现在|)什么时候了'],
    answer: (asked) => {
      const { now } = asked.situation;
      const clock = now === undefined ? '' : `${now.hour}:${String(now.minute).padStart(2, '0')}`;
      return tell(asked, now === undefined ? undefined : [`It is ${clock}.`, `现在是${clock}。`]);
    },
  },
  ofRobot(
    'battery',
    [
      'how (full|much) (is your battery|battery is left|battery do you have)',
      '(what is|tell me) (your|the) (battery level|charge)',
      '(battery|charge) (level|status)( please|)',
      'how much (charge|power|energy) (is left|do you have)',
      'do you (need|have) (to charge|enough power)',
      'how is your battery',
    ],
    [
      '你(还有|还剩)多少电',
      '(你的|)(电量|电池)(还有|是|还剩)多少',
      '(现在|)电量(多少|是多少)',
      '你(要|需要)充电吗',
      '告诉我(电量|电池状态)',
      '电池怎么样',
    ],
    ({ batteryPercent }) => when(batteryPercent, (battery) => [`My battery is at ${battery} percent.`, `我还有${battery}%的电。`]),
  ),
  ofRobot(
    'place',
    [
      'where are you( now|)',
      '(which|what) (room|place) (are you in|is this)',
      '(tell me|say) where you are',
      '(what is|tell me) your (place|position|location)',
      'in which room are you',
      'do you know where you are',
      'where (is the robot|have you gone)',
    ],
    [
      '你(现在|)在(哪里|哪儿|哪)',
      '(这里|这)是(哪里|哪儿|什么地方)',
      '告诉我你(在哪里|的位置)',
      '你的位置(在哪里|是什么)',
      '你在(哪个|什么)(房间|地方)',
      '你知道你在哪里吗',
    ],
    ({ place }) => when(place, (name) => [`I am at ${name}.`, `我在${name}。`]),
  ),
  ofRobot(
    'speed',
    [
      'how fast are you( going| moving| driving|)',
      '(what is|tell me) your speed',
      'are you (moving|driving|standing)( now|)',
      'your (current |)speed( please|)',
      'do you move( now|)',
    ],
    ['你(现在|)(走|开)(得|)多快', '你的速度(是|)多少', '你在(动|走|移动)吗', '告诉我你的速度', '(现在|)速度多少'],
    ({ speedMps }) =>
      when(speedMps, (speed) =>
        speed === 0 ? ['I am standing.', '我停着。'] : [`I am moving at ${speed} m/s.`, `我的速度是每秒${speed}米。`],
      ),
  ),
  ofRobot(
    'docked',
    [
      'are you (docked|charging|in the dock|on the charger)( now|)',
      '(tell me|say) (if|whether) you are (docked|charging)',
      'is the robot (docked|charging|in the dock)',
      'are you at (your|the) (dock|charger)',
    ],
    ['你在充电(桩上|座上|)吗', '你(现在|)(充着电|在充电)吗', '你(回|到)充电桩了吗', '告诉我你是不是在充电'],
    ({ isDocked }) =>
      when(isDocked, (docked) =>
        docked ? ['Yes, I am in the dock.', '是，我在充电桩上。'] : ['No, I am not in the dock.', '不，我不在充电桩上。'],
      ),
    0.6,
  ),
  ofRobot(
    'stopped',
    [
      'is the emergency stop (on|pressed|active)',
      '(why|why) (do you not|can you not) (move|drive)',
      'what about the emergency stop',
      '(tell me|say) (if|whether) the emergency stop is (on|active|off)',
      'did someone press the emergency stop',
      'can you (move|drive)( now|)',
    ],
    [
      '急停(按下了|开着|开了)(吗|没有)',
      '(你|)为什么(不能动|不动)',
      '急停(怎么样|是什么状态)',
      '有人按了急停吗',
      '你(能动|能走)吗',
      '告诉我急停(开着|按下了)没有',
    ],
    ({ isEmergencyStopped }) =>
      when(isEmergencyStopped, (isOn) =>
        isOn ? ['The emergency stop is on.', '急停已按下。'] : ['The emergency stop is off.', '急停没有按下。'],
      ),
    0.7,
  ),
];
