/** One part of docs/results.md. */
export interface ResultSection {
  /** Its heading. */
  readonly title: string;
  /** Markdown below the heading, with headings from `###` on. Takes as long as its measurements do. */
  readonly render: () => string | Promise<string>;
}

/** A table in Markdown: titles, then rows of the same length. */
export function tableOf(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return [titles, titles.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
