import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasProgram } from '../../support/has-program.ts';
import { createHttpRig, type HttpRig } from '../../support/http-rig.ts';

describe.skipIf(!hasProgram('curl'))('a person with curl', () => {
  let rig: HttpRig;
  beforeAll(async () => {
    rig = await createHttpRig();
  });
  afterAll(() => rig.close());

  /** What it prints, with the status behind it. */
  const curl = (path: string, ...args: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = spawn('curl', ['-sS', '--max-time', '30', '-w', ' %{http_code}', ...args, `${rig.url}${path}`]);
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      child.on('error', reject);
      child.on('close', () => resolve(text));
    });
  const json = ['-H', 'content-type: application/json'] as const;
  const body = { model: 'lm', messages: [{ role: 'user', content: 'open the window' }], temperature: 0, max_tokens: 8 };

  it('asks whether the service is there', async () => {
    expect(await curl('/readyz')).toBe('{"status":"ok"} 200');
    expect(await curl('/v1/models')).toMatch(/"id":"lm".* 200$/);
  });

  it('gets a whole answer, and the same as events', async () => {
    const whole = await curl('/v1/chat/completions', ...json, '-d', JSON.stringify(body));
    const { choices } = JSON.parse(whole.slice(0, -4)) as {
      readonly choices: readonly { readonly message: { readonly content: string } }[];
    };
    const events = await curl('/v1/chat/completions', '-N', ...json, '-d', JSON.stringify({ ...body, stream: true }));
    const chunks = [...events.matchAll(/^data: (\{.*\})$/gmu)].map(
      ([, text = '']) => JSON.parse(text) as { readonly choices: readonly { readonly delta: { readonly content?: string } }[] },
    );
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(choices[0]?.message.content);
    expect(events).toMatch(/data: \[DONE\]\n\n 200$/);
  });

  it('is told what was wrong, also where curl asks before it sends a long body', async () => {
    expect(await curl('/v1/chat/completions', '-d', JSON.stringify(body))).toMatch(/application\/json.* 415$/);
    expect(await curl('/v1/chat/completions', ...json, '-d', '{')).toMatch(/not JSON.* 400$/);
    const long = JSON.stringify({ ...body, messages: [{ role: 'user', content: 'x'.repeat(100_000) }] });
    expect(await curl('/v1/chat/completions', ...json, '-H', 'expect: 100-continue', '-d', long)).toMatch(/context_length_exceeded.* 400$/);
  });
});
