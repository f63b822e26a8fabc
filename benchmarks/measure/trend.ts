/** A straight line through samples over time, with what the noise around it allows to say. */
export interface Trend {
  samples: number;
  /** Change per unit of time. */
  slope: number;
  /** Half the width of the 95 % interval of the slope, widened for samples that depend on those before them. */
  noise: number;
  /** The line at the first and at the last sample. */
  first: number;
  last: number;
  /** The whole interval lies above zero. */
  grows: boolean;
}

/**
 * Ordinary least squares. Memory of a process at one second says much about the next, so the residuals' lag-1
 * autocorrelation reduces how many samples count (Bayley and Hammersley 1946: n (1 - r) / (1 + r)).
 */
export function trendOf(points: readonly { at: number; value: number }[]): Trend {
  const samples = points.length;
  if (samples < 3) return { samples, slope: 0, noise: Number.POSITIVE_INFINITY, first: 0, last: 0, grows: false };
  const mean = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const meanAt = mean(points.map(({ at }) => at));
  const meanValue = mean(points.map(({ value }) => value));
  const spreadAt = points.reduce((sum, { at }) => sum + (at - meanAt) ** 2, 0);
  const slope = points.reduce((sum, { at, value }) => sum + (at - meanAt) * (value - meanValue), 0) / spreadAt;
  const line = (at: number) => meanValue + slope * (at - meanAt);
  const residuals = points.map(({ at, value }) => value - line(at));
  const squares = residuals.reduce((sum, residual) => sum + residual ** 2, 0);
  const together = residuals.slice(1).reduce((sum, residual, before) => sum + residual * residuals[before]!, 0);
  const dependence = squares === 0 ? 0 : Math.min(0.99, Math.max(0, together / squares));
  const counting = Math.max(3, (samples * (1 - dependence)) / (1 + dependence));
  const noise = (1.96 * Math.sqrt(squares / spreadAt)) / Math.sqrt(Math.max(1, counting - 2));
  const [start, end] = [points[0]!.at, points.at(-1)!.at];
  return { samples, slope, noise, first: line(start), last: line(end), grows: slope - noise > 0 };
}
