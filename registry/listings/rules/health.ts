/** How a plugin did in the last 30 days, over all operators; nothing of it where there are too few to tell without telling on one. */
export interface Health {
  /** `unknown` below 100 invocations, or with too few operators. */
  verdict: 'good' | 'fair' | 'poor' | 'unknown';
  /** A sentence that says why. */
  words: string;
  /** Of invocations; null where it is unknown. */
  errorRate: number | null;
  /** 95 of 100 answers take no longer; null where it is unknown. */
  p95Ms: number | null;
  speed: 'fast' | 'moderate' | 'slow' | 'unknown';
  /** Share of its installations that are suspended for what they did; null where it is unknown. */
  suspendedShare: number | null;
  /** When its newest release came out. */
  updatedAt: string | null;
  activity: 'active' | 'quiet' | 'dormant' | 'unknown';
}

export interface Measured {
  invocations: number;
  faults: number;
  p95Ms: number | null;
  installations: number;
  suspended: number;
  /** Owners of operators that have it installed. */
  operators: number;
  updatedAt: string | null;
}

export const INVOCATIONS_MIN = 100;
/** As for statistics of publishers: what fewer do is theirs to tell. */
export const OPERATORS_MIN = 3;
const FAIR = { errorRate: 0.01, suspendedShare: 0 };
const POOR = { errorRate: 0.05, suspendedShare: 0.1 };
const FAST_MS = 100;
const SLOW_MS = 1_000;
const DAY_MS = 86_400_000;
const ACTIVE_DAYS = 180;
const DORMANT_DAYS = 540;

export function healthOf(measured: Measured, nowMs: number): Health {
  const { invocations, faults, installations, suspended, operators, updatedAt, p95Ms } = measured;
  const told = operators >= OPERATORS_MIN;
  const enough = told && invocations >= INVOCATIONS_MIN;
  const errorRate = enough ? faults / invocations : null;
  const suspendedShare = told && installations > 0 ? suspended / installations : null;
  const verdict = errorRate === null ? 'unknown' : verdictOf(errorRate, suspendedShare ?? 0);
  return {
    verdict,
    words: wordsOf(verdict, errorRate, suspendedShare),
    errorRate,
    p95Ms: enough ? p95Ms : null,
    speed: !enough || p95Ms === null ? 'unknown' : p95Ms <= FAST_MS ? 'fast' : p95Ms <= SLOW_MS ? 'moderate' : 'slow',
    suspendedShare,
    updatedAt,
    activity: activityOf(updatedAt, nowMs),
  };
}

function verdictOf(errorRate: number, suspendedShare: number): Exclude<Health['verdict'], 'unknown'> {
  if (errorRate > POOR.errorRate || suspendedShare > POOR.suspendedShare) return 'poor';
  return errorRate > FAIR.errorRate || suspendedShare > FAIR.suspendedShare ? 'fair' : 'good';
}

function wordsOf(verdict: Health['verdict'], errorRate: number | null, suspendedShare: number | null): string {
  if (errorRate === null)
    return `Too little is known: it takes ${INVOCATIONS_MIN} invocations and ${OPERATORS_MIN} operators within 30 days.`;
  const percent = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 2 : 0)} %`;
  const suspended =
    suspendedShare === null || suspendedShare === 0
      ? ''
      : `, and ${percent(suspendedShare)} of its installations are suspended`;
  const limit =
    verdict === 'good'
      ? `at most ${percent(FAIR.errorRate)} is good`
      : `more than ${percent(verdict === 'fair' ? FAIR.errorRate : POOR.errorRate)} is ${verdict}`;
  return `${percent(errorRate)} of its invocations fail (${limit})${suspended}.`;
}

function activityOf(updatedAt: string | null, nowMs: number): Health['activity'] {
  if (updatedAt === null) return 'unknown';
  const days = (nowMs - Date.parse(updatedAt)) / DAY_MS;
  return days <= ACTIVE_DAYS ? 'active' : days <= DORMANT_DAYS ? 'quiet' : 'dormant';
}
