/** The 80 labels of COCO with their Chinese names and how often they are drawn beside the others: what stands on streets and in rooms comes more often. */
const TABLE = `person 人 12|bicycle 自行车 5|car 汽车 10|motorcycle 摩托车 5|airplane 飞机 1|bus 公交车 5|train 火车 2|truck 卡车 5|boat 船 1|traffic_light 红绿灯 4
|fire_hydrant 消防栓 2|stop_sign 停车标志 4|parking_meter 停车计时器 1|bench 长椅 2|bird 鸟 2|cat 猫 4|dog 狗 5|horse 马 1|sheep 羊 1|cow 牛 1|elephant 大象 1|bear 熊 1
|zebra 斑马 1|giraffe 长颈鹿 1|backpack 背包 2|umbrella 雨伞 2|handbag 手提包 1|tie 领带 1|suitcase 行李箱 2|frisbee 飞盘 1|skis 滑雪板 1|snowboard 单板滑雪板 1
|sports_ball 球 2|kite 风筝 1|baseball_bat 棒球棒 1|baseball_glove 棒球手套 1|skateboard 滑板 1|surfboard 冲浪板 1|tennis_racket 网球拍 1|bottle 瓶子 3|wine_glass 酒杯 1
|cup 杯子 3|fork 叉子 1|knife 刀 1|spoon 勺子 1|bowl 碗 2|banana 香蕉 1|apple 苹果 2|sandwich 三明治 1|orange 橙子 1|broccoli 西兰花 1|carrot 胡萝卜 1|hot_dog 热狗 1
|pizza 披萨 1|donut 甜甜圈 1|cake 蛋糕 1|chair 椅子 4|couch 沙发 3|potted_plant 盆栽 2|bed 床 2|dining_table 餐桌 3|toilet 马桶 1|tv 电视 2|laptop 笔记本电脑 2|mouse 鼠标 1
|remote 遥控器 1|keyboard 键盘 2|cell_phone 手机 2|microwave 微波炉 1|oven 烤箱 1|toaster 烤面包机 1|sink 水槽 1|refrigerator 冰箱 2|book 书 2|clock 钟 2|vase 花瓶 1
|scissors 剪刀 1|teddy_bear 玩具熊 1|hair_drier 吹风机 1|toothbrush 牙刷 1`;

export interface Label {
  readonly label: string;
  readonly zh: string;
}

function read(): readonly Label[] {
  return TABLE.replace(/\n/gu, '')
    .split('|')
    .flatMap((row) => {
      const [label = '', zh = '', weight = '1'] = row.split(' ');
      return Array.from({ length: Number(weight) }, () => ({ label: label.replaceAll('_', ' '), zh }));
    });
}

/** Each label as often as it is to be drawn. */
export const labels: readonly Label[] = read();

/** Each label once. */
export const evenLabels: readonly Label[] = labels.filter(
  ({ label }, index) => labels.findIndex((other) => other.label === label) === index,
);

const chinese: ReadonlyMap<string, string> = new Map(labels.map(({ label, zh }) => [label, zh]));

/** The Chinese name of a label; the label itself where it has none. */
export const chineseLabel = (label: string): string => chinese.get(label) ?? label;
