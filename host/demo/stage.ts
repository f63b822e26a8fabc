import { styleText } from 'node:util';

/** Says how far a step is, in a terminal. */
export type Tell = (text: string) => void;

/** Where the demo shows what it does. */
export interface Stage {
  /** Begins a chapter. */
  chapter(title: string): void;
  /** Does one step and shows its result and its milliseconds. `show` says what there is to see. */
  step<Result>(name: string, work: (tell: Tell) => Promise<Result>, show: (result: Result) => string): Promise<Result>;
  /** One more line about the step before. */
  detail(text: string): void;
  say(text: string): void;
}

const NAME_WIDTH = 11;
const RESULT_WIDTH = 82;

/** With `quiet` the steps are done and not shown. */
export function createStage(stream: NodeJS.WriteStream, { quiet }: { quiet: boolean }): Stage {
  const silent = () => {};
  if (quiet) return { say: silent, detail: silent, chapter: silent, step: (_name, work) => work(silent) };
  const paint = (style: Parameters<typeof styleText>[0], text: string) => styleText(style, text, { stream });
  const say = (text: string) => void stream.write(`${text}\n`);
  return {
    say,
    detail: (text) => say(`    ${' '.repeat(NAME_WIDTH)} ${paint('dim', text)}`),
    chapter: (title) => say(`\n${paint('bold', title)}`),
    step: async (name, work, show) => {
      const label = name.padEnd(NAME_WIDTH);
      const over = stream.isTTY ? '\r\x1b[K' : '';
      const tell = (text: string) => {
        if (stream.isTTY) stream.write(`${over}  ${paint('dim', `… ${label} ${text}`)}`);
      };
      tell('');
      const startedAtMs = performance.now();
      try {
        const result = await work(tell);
        const elapsed = `${Math.round(performance.now() - startedAtMs)} ms`.padStart(8);
        stream.write(
          `${over}  ${paint('green', '✔')} ${label} ${show(result).padEnd(RESULT_WIDTH)} ${paint('dim', elapsed)}\n`,
        );
        return result;
      } catch (error) {
        stream.write(`${over}  ${paint('red', '✘')} ${label}\n`);
        throw error;
      }
    },
  };
}
