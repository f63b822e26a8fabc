const PLAIN_PROGRESS_MS = 15_000;

/** To stderr: stdout belongs to the program that is handed over to. */
export const say = (line) => process.stderr.write(`${line}\n`);
export const seconds = (sinceMs) => `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;

/** A spinner on a terminal, a line now and then elsewhere. */
export function showProgress(what, startedMs) {
  const terminal = process.stderr.isTTY;
  const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
  let tick = 0;
  if (!terminal) say(`${what} …`);
  const draw = () => {
    if (!terminal) return say(`${what} … ${seconds(startedMs)}`);
    tick += 1;
    process.stderr.write(`\r\x1b[2K${frames[tick % frames.length]} ${what} … ${seconds(startedMs)}`);
  };
  const timer = setInterval(draw, terminal ? 100 : PLAIN_PROGRESS_MS);
  return {
    stop() {
      clearInterval(timer);
      if (terminal) process.stderr.write('\r\x1b[2K');
    },
  };
}
