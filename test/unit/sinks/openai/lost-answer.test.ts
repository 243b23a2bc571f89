import { describe, expect, it } from 'vitest';
import { DROP_REASONS, FAIL_REASONS, type Outcome, REJECT_REASONS } from '../../../../src/core/outcome.ts';
import { lostAnswer } from '../../../../src/sinks/openai/lost-answer.ts';

const outcomes: Outcome[] = [
  ...DROP_REASONS.map((reason) => ({ kind: 'dropped', reason }) as const),
  ...REJECT_REASONS.map((reason) => ({ kind: 'rejected', reason }) as const),
  ...FAIL_REASONS.map((reason) => ({ kind: 'failed', reason }) as const),
];

describe('an answer that was lost', () => {
  it.each(outcomes)('is told with a status, a code and words: %j', (outcome) => {
    const { status, body, retryAfterS } = lostAnswer(outcome);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(body.error.code).toMatch(/^[a-z_]+$/);
    expect(body.error.message).toMatch(/^[A-Z].*\.$/);
    // Who is told to come again is told when.
    expect(retryAfterS === undefined).toBe(status !== 503);
  });

  it('says what was wrong with a request in the words of who looked at it', () => {
    expect(lostAnswer({ kind: 'failed', reason: 'prepare-error' }, 'schema at #: no such type')).toMatchObject({
      status: 400,
      body: { error: { type: 'invalid_request_error', message: 'schema at #: no such type' } },
    });
    expect(lostAnswer({ kind: 'failed', reason: 'device-error' }, '/etc/secret').body.error.message).not.toContain('secret');
  });
});
