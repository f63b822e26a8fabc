/** zxcvbn and its lists of the most frequent passwords, read when the first password is judged. */

/** What zxcvbn calls 3: safely unguessable, at least 10^8 guesses. */
const SCORE_MIN = 3;
/** Its work grows with the square of the length, and nothing as long is weak at its end. */
const CHARS_JUDGED_MAX = 72;

interface Judge {
  score(password: string, knownWords: string[]): number;
  isBreached(password: string): boolean;
}
let judge: Promise<Judge> | undefined;

/** Why others would guess a password soon; null where they would not. `knownWords` are what everybody knows of its owner. */
export async function passwordWeakness(password: string, knownWords: string[]): Promise<string | null> {
  judge ??= openJudge();
  const { score, isBreached } = await judge;
  if (isBreached(password)) return 'is on the list of passwords that leaked most often; choose another';
  const judged = [...password].slice(0, CHARS_JUDGED_MAX).join('');
  return score(judged, knownWords) < SCORE_MIN ? 'is too easy to guess; make it longer or less regular' : null;
}

async function openJudge(): Promise<Judge> {
  const [{ ZxcvbnFactory }, common] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ]);
  const { dictionary, adjacencyGraphs } = common;
  const factory = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });
  const breached = new Set(dictionary['passwords-common'] as string[]);
  return {
    score: (password, knownWords) => factory.check(password, knownWords).score,
    // The list knows no capital letters, and puts none in whoever adds one because a rule asks for it.
    isBreached: (password) => breached.has(password.toLowerCase()),
  };
}
