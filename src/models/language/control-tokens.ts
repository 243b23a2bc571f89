/** A stretch of text, or a control token that stands by itself. */
export type TextPiece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'control'; readonly id: number };

export interface ControlSplitter {
  /** Cuts a text around the control tokens written in it: the leftmost first, of those the longest. Linear in the text. */
  split(text: string): readonly TextPiece[];
}

interface Control {
  readonly text: string;
  readonly id: number;
}

export function createControlSplitter(controls: ReadonlyMap<string, number>): ControlSplitter {
  const byFirst = new Map<string, Control[]>();
  for (const [text, id] of controls) {
    const first = text.charAt(0);
    const list = byFirst.get(first) ?? [];
    list.push({ text, id });
    byFirst.set(first, list);
  }
  for (const list of byFirst.values()) list.sort((a, b) => b.text.length - a.text.length || a.id - b.id);
  return {
    split: (text) => {
      const pieces: TextPiece[] = [];
      let start = 0;
      for (let at = 0; at < text.length; ) {
        const found = byFirst.get(text.charAt(at))?.find((control) => text.startsWith(control.text, at));
        if (found === undefined) {
          at += 1;
          continue;
        }
        if (at > start) pieces.push({ kind: 'text', text: text.slice(start, at) });
        pieces.push({ kind: 'control', id: found.id });
        at += found.text.length;
        start = at;
      }
      if (start < text.length) pieces.push({ kind: 'text', text: text.slice(start) });
      return pieces;
    },
  };
}
