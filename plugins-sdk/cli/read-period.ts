import { CliError } from './errors.ts';

const SECONDS_OF: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const DAY_SECONDS = 86_400;

/** `30m`, `2h`, `1d` in seconds. Refuses with: usage. */
export function readPeriod(option: string, text: string, { minSeconds = 1, maxDays = 30 } = {}): number {
  const [, count = '', unit = ''] = /^(\d{1,8})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (SECONDS_OF[unit] ?? Number.NaN);
  if (seconds >= minSeconds && seconds <= maxDays * DAY_SECONDS) return seconds;
  const least = minSeconds > 1 ? `at least ${periodText(minSeconds)}, ` : '';
  throw new CliError(
    'usage',
    `${option} is a time such as 30m, 2h or 1d (${least}at most ${maxDays}d), not "${text}".`,
  );
}

/** The same again, by its largest whole unit: `3d`. */
export function periodText(seconds: number): string {
  const unit = ['d', 'h', 'm'].find((each) => seconds >= SECONDS_OF[each]! && seconds % SECONDS_OF[each]! === 0) ?? 's';
  return `${seconds / SECONDS_OF[unit]!}${unit}`;
}

/** For an option of how long a release has to be out: `0` is none. Refuses with: usage. */
export const readDelay = (text: string): number => (text === '0' ? 0 : readPeriod('--delay', text, { maxDays: 365 }));

/** For `--overlap` in the unit that the option names: where nothing was said by mistake, what is old must not end at once. Refuses with: usage. */
export const readOverlap =
  (unit: 'days' | 'seconds', max: number) =>
  (text: string): number => {
    if (/^\d{1,8}(?:\.\d{1,8})?$/.test(text) && Number(text) <= max) return Number(text);
    throw new CliError('usage', `--overlap is a number of ${unit} from 0 to ${max}, not "${text}".`);
  };
