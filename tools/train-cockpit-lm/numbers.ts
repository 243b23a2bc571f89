const ONES = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
];
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];
const DIGITS = '零一二三四五六七八九';

/** 0..999, with halves: "twenty two", "a hundred", "twenty point five". */
export function englishNumber(value: number): string {
  const whole = Math.floor(value);
  if (value !== whole) return `${englishNumber(whole)} point ${ONES[Math.round((value - whole) * 10)] ?? ''}`;
  if (whole >= 100) {
    const rest = whole % 100;
    const hundreds = whole < 200 ? 'a hundred' : `${ONES[Math.floor(whole / 100)] ?? ''} hundred`;
    return rest === 0 ? hundreds : `${hundreds} and ${englishNumber(rest)}`;
  }
  if (whole < 20) return ONES[whole] ?? '';
  const ones = whole % 10;
  const tens = TENS[Math.floor(whole / 10)] ?? '';
  return ones === 0 ? tens : `${tens} ${ONES[ones] ?? ''}`;
}

/** 0..999, with halves: 二十二, 一百, 二十二点五. */
export function chineseNumber(value: number): string {
  const whole = Math.floor(value);
  if (value !== whole) return `${chineseNumber(whole)}点${DIGITS.charAt(Math.round((value - whole) * 10))}`;
  if (whole < 10) return DIGITS.charAt(whole);
  if (whole >= 100) {
    const rest = whole % 100;
    const hundreds = `${DIGITS.charAt(Math.floor(whole / 100))}百`;
    if (rest === 0) return hundreds;
    if (rest < 10) return `${hundreds}零${chineseNumber(rest)}`;
    return rest < 20 ? `${hundreds}一${chineseNumber(rest)}` : `${hundreds}${chineseNumber(rest)}`;
  }
  const tens = Math.floor(whole / 10);
  return `${tens === 1 ? '' : DIGITS.charAt(tens)}十${whole % 10 === 0 ? '' : DIGITS.charAt(whole % 10)}`;
}
