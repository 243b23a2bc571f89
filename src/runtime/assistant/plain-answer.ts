/**
 * Words that are an answer to a question and nothing else. Short on purpose: what is on neither list goes to the model, which can confirm nothing. "Stop" is not among them, since to
 * a robot it is a command.
 */
const YES = [
  ...['yes', 'yes please', 'yes do it', 'yes confirm', 'yeah', 'yep', 'confirm', 'confirmed', 'go ahead', 'do it'],
  ...['是', '是的', '对', '对的', '好', '好的', '可以', '确认', '确定', '同意', '行'],
];
const NO = [
  ...['no', 'no thanks', 'no thank you', 'nope', 'no dont', 'dont', 'do not', 'cancel', 'cancel that'],
  ...['不', '不是', '不要', '不用', '不用了', '不行', '不了', '别', '取消', '否', '算了'],
];

const ANSWERS: ReadonlyMap<string, 'yes' | 'no'> = new Map([
  ...YES.map((text) => [text, 'yes'] as const),
  ...NO.map((text) => [text, 'no'] as const),
]);

const LENGTH_MAX = 40;

/** Whether an utterance is plainly a yes or a no, in English or Chinese; undefined when it is anything else. No model is asked. */
export function plainAnswer(text: string): 'yes' | 'no' | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’]/gu, '')
    .replace(/[\s.,!。，！、]+/gu, ' ')
    .trim();
  return ANSWERS.get(words);
}
