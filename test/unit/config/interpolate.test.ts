import { describe, expect, it } from 'vitest';
import { interpolate } from '../../../src/config/interpolate.ts';

const text = (value: string) => ({ kind: 'text', text: value });

describe('interpolate', () => {
  const env = { HOST: 'broker', EMPTY: '', NESTED: `\${` + 'HOST}' };

  it('leaves text without a placeholder alone', () => {
    expect(interpolate('mqtt://host $HOST $ {x}', env)).toEqual(text('mqtt://host $HOST $ {x}'));
  });

  it('replaces every placeholder', () => {
    expect(interpolate(`a-\${HOST}-b-\${HOST}`, env)).toEqual(text('a-broker-b-broker'));
  });

  it('takes the default where the variable is not set or empty', () => {
    expect(interpolate(`\${NONE:-x}\${EMPTY:-y}\${HOST:-z}`, env)).toEqual(text('xybroker'));
    expect(interpolate(`\${NONE:-}`, env)).toEqual(text(''));
  });

  it('takes an empty value where there is no default', () => {
    expect(interpolate(`<\${EMPTY}>`, env)).toEqual(text('<>'));
  });

  it('does not look again at what it put in', () => {
    expect(interpolate(`\${NESTED}`, env)).toEqual(text(`\${` + 'HOST}'));
  });

  it('names a variable that is not set', () => {
    expect(interpolate(`\${NONE}`, env)).toEqual({ kind: 'problem', text: expect.stringContaining('variable NONE is not set') });
  });

  it.each([`\${`, `\${}`, `\${1A}`, `\${A B}`, `\${HOST`, `\${HOST:+x}`])('refuses %s', (written) => {
    expect(interpolate(written, env)).toEqual({ kind: 'problem', text: expect.stringContaining('allowed are') });
  });

  it('takes nothing from the prototype of the environment', () => {
    expect(interpolate(`\${toString}`, env)).toMatchObject({ kind: 'problem' });
  });
});
