import { describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../src/config/config-files.ts';
import { CoxswainError } from '../../../src/core/errors.ts';
import { CONFIG, load, MANIFEST } from '../../support/config-files.ts';
import { shippedConfig } from '../../support/shipped.ts';

const TALK = `
  talk: { source: voice, model: lm, criticality: interactive, deadlineMs: 1000, assistant: { sees: [{ pipeline: PIPELINE }] } }
`;
const VOICE = '\n  voice: { kind: words, script: [{ text: hello }] }\n';

function problemsOf(config: string): string {
  const manifest = `${MANIFEST}\nlanguageModels:\n  lm: { folder: ./lm, licence: MIT }\n`;
  try {
    load({ config, manifest });
    return '';
  } catch (thrown) {
    if (thrown instanceof CoxswainError) return thrown.message;
    throw thrown;
  }
}

const withTalk = (pipeline: string, voice = VOICE): string =>
  CONFIG.replace(/^sources:\n/m, `sources:${voice}`).replace(/^pipelines:\n/m, `pipelines:${TALK.replace('PIPELINE', pipeline)}`);

describe('the assistant of a configuration', () => {
  it('has what it knows, with every default', () => {
    const talk = shippedConfig('cockpit').pipelines.find(({ id }) => id === 'assistant');
    expect(talk?.assistant).toEqual({
      ...{ machine: undefined, reads: [], texts: [], followUps: 'fixed' },
      sees: [{ stream: 'objects', bearing: 'ahead', fieldOfViewDeg: 60 }],
    });
    expect(talk?.stream).toMatchObject({ isStateful: true, freshness: { kind: 'queue', jobsMax: 4 } });
    expect(createConfigFiles().read('configs/cockpit.yaml', 1e6).length).toBeGreaterThan(0);
  });

  it('is refused where it looks at what is no pipeline, or at one that takes no images', () => {
    expect(problemsOf(withTalk('nowhere'))).toMatch(/talk\.assistant\.sees\[?\.?0\]?\.pipeline: got "nowhere", which is no pipeline/);
    expect(problemsOf(withTalk('talk'))).toMatch(/got "talk", which takes turn; allowed is a pipeline that takes images/);
  });

  it('is refused where nobody speaks', () => {
    const silent = '\n  voice: { kind: turns, perMinute: 1 }\n';
    expect(problemsOf(withTalk('talk', silent))).toContain('only a source of words has an assistant behind it');
  });
});
