/** In which states a release may run: a yanked one goes on where it is installed. */
export const RUNNABLE_STATES: readonly string[] = ['published', 'deprecated', 'yanked'];

/** Whether hosts may run a release. What they have running of another one they stop. */
export const isRunnable = ({ state, blocked }: { state: string; blocked: unknown }): boolean =>
  blocked === null && RUNNABLE_STATES.includes(state);
