/**
 * What a canary may use: what it began with, less what the operator has taken from the installation since, and what was
 * granted since. `before` is what the installation had when the canary began, `now` what it has.
 */
export function canaryGrants<Grant extends string>(
  { canary, before, now }: { canary: readonly Grant[]; before: readonly Grant[]; now: readonly Grant[] },
  declared: readonly string[],
): Grant[] {
  const kept = canary.filter((grant) => !before.includes(grant) || now.includes(grant));
  const added = now.filter((grant) => !before.includes(grant) && !canary.includes(grant));
  return [...kept, ...added].filter((grant) => declared.includes(grant));
}
