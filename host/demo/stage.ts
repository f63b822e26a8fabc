import { styleText } from 'node:util';

/** Where the demo shows what it does. */
export interface Stage {
  /** Begins a chapter. */
  chapter(title: string): void;
  /** Does one step and shows its result and its milliseconds. `show` says what there is to see. */
  step<Result>(name: string, work: () => Promise<Result>, show: (result: Result) => string): Promise<Result>;
  say(text: string): void;
}

const NAME_WIDTH = 11;
const RESULT_WIDTH = 82;

/** With `quiet` the steps are done and not shown. */
export function createStage(stream: NodeJS.WriteStream, { quiet }: { quiet: boolean }): Stage {
  if (quiet) return { say: () => {}, chapter: () => {}, step: (_name, work) => work() };
  const paint = (style: Parameters<typeof styleText>[0], text: string) => styleText(style, text, { stream });
  const say = (text: string) => void stream.write(`${text}\n`);
  return {
    say,
    chapter: (title) => say(`\n${paint('bold', title)}`),
    step: async (name, work, show) => {
      const label = name.padEnd(NAME_WIDTH);
      if (stream.isTTY) stream.write(`  ${paint('dim', `… ${label}`)}`);
      const startedAtMs = performance.now();
      const over = stream.isTTY ? '\r\x1b[K' : '';
      try {
        const result = await work();
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
