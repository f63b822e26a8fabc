/** One fenced block of a page. */
export interface Block {
  /** `ts`, `json`, `sh` or `text`. */
  language: string;
  /** After the language: `file=src/index.ts`, `output`, `background`, `skip="reason"`. */
  attributes: Readonly<Record<string, string>>;
  text: string;
  /** The heading (`##`) that it stands under; empty above the first. */
  section: string;
  /** Of the fence, from 1. */
  line: number;
}

const FENCE = /^```(\S*)\s*(.*)$/;
const ATTRIBUTE = /([a-z]+)(?:=(?:"([^"]*)"|(\S+)))?/g;

/** Every fenced block of a Markdown page, in order. Throws where a fence is not closed. */
export function readPage(markdown: string): Block[] {
  const blocks: Block[] = [];
  let section = '';
  let open: Block | null = null;
  markdown.split('\n').forEach((line, at) => {
    const fence = FENCE.exec(line);
    if (open && line === '```') {
      blocks.push(open);
      open = null;
    } else if (open) open.text += `${line}\n`;
    else if (fence) {
      open = { language: fence[1]!, attributes: readAttributes(fence[2]!), text: '', section, line: at + 1 };
    } else if (line.startsWith('## ')) section = line.slice(3).trim();
  });
  if (open) throw new Error(`the fence in line ${(open as Block).line} is not closed`);
  return blocks;
}

const readAttributes = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(ATTRIBUTE)].map(([, name, quoted, plain]) => [name!, quoted ?? plain ?? '']));

/** The files of each section that has some: a plugin, whole. */
export function projectsOf(blocks: Block[]): Map<string, Map<string, string>> {
  const projects = new Map<string, Map<string, string>>();
  for (const { section, attributes, text } of blocks) {
    const { file, skip } = attributes;
    if (file === undefined || skip !== undefined) continue;
    projects.set(section, (projects.get(section) ?? new Map()).set(file, text));
  }
  return projects;
}

/** The first line of `expected` that `output` does not have where it should; null where all are there, in order. `…` stands for anything. */
export function missingLine(expected: string, output: string): string | null {
  const lines = output.split('\n');
  let at = 0;
  for (const wanted of expected.split('\n').filter((line) => line.trim() !== '')) {
    const pattern = new RegExp(
      `^${wanted
        .trim()
        .split('…')
        .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
        .join('.*')}$`,
    );
    const found = lines.findIndex((line, index) => index >= at && pattern.test(line.trim()));
    if (found < 0) return wanted;
    at = found + 1;
  }
  return null;
}
