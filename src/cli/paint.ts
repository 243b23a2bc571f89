/** SGR codes that every terminal with colour knows. */
const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Tone = keyof typeof CODES;

/** Wraps a text in a tone, or leaves it alone where colour is off. */
export type Paint = (text: string, tone: Tone | undefined) => string;

export const plainPaint: Paint = (text) => text;

export const colourPaint: Paint = (text, tone) => (tone === undefined || text === '' ? text : `\u001b[${CODES[tone]}m${text}\u001b[0m`);

/** Colour on terminals only, never with NO_COLOR set to anything (no-color.org) nor on a dumb terminal. */
export function choosePaint(isTty: boolean, env: Readonly<Record<string, string | undefined>>): Paint {
  const isColour = isTty && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  return isColour ? colourPaint : plainPaint;
}
