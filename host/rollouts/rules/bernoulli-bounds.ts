/** Calls up to which the bounds hold together. */
const CALLS_MAX = 1e6;
/** How likely it is that one bound fails at any look. Four of them judge a canary. */
const ALPHA = 0.0025;

/**
 * Bounds for the rate of an event that was seen `hits` times in `calls`, which hold for every number of calls up to a
 * million at once: looking again and again does not make an error likelier. The rate p lies outside as long as
 * calls · kl(hits/calls, p) > δ, with e · ⌈δ · ln(callsMax)⌉ · exp(−δ) = α.
 * Source: Garivier and Cappé, "The KL-UCB algorithm for bounded stochastic bandits and beyond" (COLT 2011), theorem 10.
 */
export function bernoulliBounds(hits: number, calls: number): { lower: number; upper: number } {
  if (calls === 0) return { lower: 0, upper: 1 };
  const rate = hits / calls;
  const reach = DELTA / calls;
  return { lower: 1 - farthest(1 - rate, reach), upper: farthest(rate, reach) };
}

const DELTA = deltaFor(ALPHA);

function deltaFor(alpha: number): number {
  let delta = 1;
  while (Math.E * Math.ceil(delta * Math.log(CALLS_MAX)) * Math.exp(-delta) > alpha) delta += 0.01;
  return delta;
}

/** The largest p >= rate with kl(rate, p) <= reach, by bisection. */
function farthest(rate: number, reach: number): number {
  let [low, high] = [rate, 1];
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2;
    if (divergence(rate, middle) <= reach) low = middle;
    else high = middle;
  }
  return low;
}

/** Kullback-Leibler divergence of two Bernoulli distributions, in nats. */
function divergence(rate: number, other: number): number {
  const term = (a: number, b: number) => (a === 0 ? 0 : a * Math.log(a / b));
  return term(rate, other) + term(1 - rate, 1 - other);
}
