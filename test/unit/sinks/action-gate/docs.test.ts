import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GATE_REASONS } from '../../../../src/core/proposal.ts';

describe('docs/actions.md', () => {
  it('has a row for each reason of a rejection and no other', () => {
    const text = readFileSync('docs/actions.md', 'utf8');
    const table = text.slice(text.indexOf('## Reasons of a rejection'), text.indexOf('## Declaring an action'));
    const rows = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]);
    expect(rows).toEqual([...GATE_REASONS]);
  });
});
