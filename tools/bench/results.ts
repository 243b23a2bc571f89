/**
 * Writes docs/results.md: `npm run results`, or `npx tsx tools/bench/results.ts <section ...>` for some sections; those not named stay as they are.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { ResultSection } from './result-section.ts';
import { decisionResults, simulatorResults } from './speed-results.ts';
import { automotiveResults, disbResults, voiceVideoResults } from './suite-results.ts';
import { xrbenchResults } from './xrbench-results.ts';

/** One line for each section, in the order of the page. */
const SECTIONS: Readonly<Record<string, ResultSection>> = {
  xrbench: xrbenchResults,
  disb: disbResults,
  automotive: automotiveResults,
  'voice-video': voiceVideoResults,
  decisions: decisionResults,
  simulator: simulatorResults,
};

const PAGE = 'docs/results.md';
const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.hasOwn(SECTIONS, name));
if (unknown.length > 0) throw new Error(`there is no section ${unknown.join(', ')}; known are ${Object.keys(SECTIONS).join(', ')}`);

const before = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
const parts: string[] = [];
for (const [name, { title, render }] of Object.entries(SECTIONS)) {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const old = before.split(begin)[1]?.split(end)[0]?.trim();
  const isKept = named.length > 0 && !named.includes(name) && old !== undefined;
  const part = isKept ? old : `## ${title}\n\n${(await render()).trim()}`;
  parts.push(`${begin}\n\n${part}\n\n${end}`);
}
const contents = Object.values(SECTIONS).map(({ title }) => `- [${title}](#${slugOf(title)})`);
writeFileSync(
  PAGE,
  `# Results

Written by \`npm run results\`; \`npx tsx tools/bench/results.ts <section ...>\` writes the named sections anew (${Object.keys(SECTIONS).join(', ')}).

${contents.join('\n')}

${parts.join('\n\n')}
`,
);

/** As code hosts make an anchor of a heading. */
function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
