/** Something the person at the keyboard can act on: one sentence, no stack. */
export class LaunchError extends Error {}
/** A signal arrived while npm was running; the launcher ends as that signal would have ended it. */
export class Interrupted extends Error {
  constructor(signal) {
    super(signal);
    this.signal = signal;
  }
}
