import { parseDocument } from 'yaml';
import type { Confidence } from '../core/soc-profile.ts';

/** A figure to put into a profile. */
export interface SocEdit {
  /** Dotted key, such as `core.layerUs`. */
  readonly key: string;
  readonly value: number;
  /** Name of its entry of `sources`. */
  readonly from: string;
}

export interface SocSource {
  readonly name: string;
  readonly text: string;
  readonly confidence: Confidence;
}

/** The text of a profile with some figures replaced or added, the rest as it was; sources that nothing names any more are left out. */
export function editSoc(text: string, edits: readonly SocEdit[], sources: readonly SocSource[]): string {
  const document = parseDocument(text);
  for (const { name, text: told, confidence } of sources) {
    const source = document.createNode({ text: told, confidence }, { flow: true });
    source.items.forEach(({ value }, index) => {
      if (index === 0 && value !== null && typeof value === 'object') Object.assign(value, { type: 'QUOTE_DOUBLE' });
    });
    document.setIn(['sources', name], source);
  }
  for (const { key, value, from } of edits) document.setIn(key.split('.'), document.createNode({ value, from }, { flow: true }));
  const named = new Set([...String(document).matchAll(/\bfrom: ([\w-]+)/g)].map(([, name]) => name));
  const listed = document.toJS() as { readonly sources?: Readonly<Record<string, unknown>> };
  for (const name of Object.keys(listed.sources ?? {})) if (!named.has(name)) document.deleteIn(['sources', name]);
  return document.toString({ lineWidth: 0 });
}
