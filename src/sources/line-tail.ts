/** The last lines of a child's error output, for messages. Bounded in lines and characters, whatever the child writes. */
export interface LineTail {
  push(chunk: Uint8Array): void;
  /** The newest line that says something, or ''. */
  last(): string;
  /** Oldest first. */
  lines(): readonly string[];
}

const LINES_MAX = 20;
const LINE_CHARACTERS_MAX = 400;

export function createLineTail(): LineTail {
  const decoder = new TextDecoder();
  const lines: string[] = [];
  let open = '';
  const close = (): void => {
    const line = cleanLine(open);
    open = '';
    if (line === '') return;
    lines.push(line);
    if (lines.length > LINES_MAX) lines.shift();
  };
  return {
    push(chunk) {
      const parts = decoder.decode(chunk, { stream: true }).split(/[\r\n]/);
      for (const [index, part] of parts.entries()) {
        if (index > 0) close();
        if (open.length < LINE_CHARACTERS_MAX) open += part.slice(0, LINE_CHARACTERS_MAX - open.length);
      }
    },
    last: () => cleanLine(open) || (lines.at(-1) ?? ''),
    lines: () => [...lines],
  };
}

/** Without control characters, which could repaint a terminal, and without the user and password of a URL. */
function cleanLine(line: string): string {
  return redactUrls(line.replace(/\p{Cc}/gu, ' ').trim());
}

/** `rtsp://user:secret@host/` -> `rtsp://***@host/` */
export function redactUrls(text: string): string {
  return text.replace(/:\/\/[^/\s]*@/g, '://***@');
}
