import { isStreamCall } from '../plugins-sdk/contract/stream-calls.ts';

/** Calls that wait for somebody else: for a stranger's server, or for another plugin, which may be this one again. */
const PATIENT = new Set(['fetch.send', 'plugins.call', 'plugins.deliver']);

interface Waiting {
  max: number;
  begin(): Promise<unknown>;
}

interface Line {
  inFlight: number;
  /** In order of arrival. */
  waiting: Set<Waiting>;
}

/**
 * How many host calls the host carries out at a time for each installation: what they share with those of others (connections to the
 * database, the host's thread) one plugin must not fill. Further ones wait in order. Calls that wait for others themselves hold nothing of that,
 * and would stop those that they wait for; they have limits of their own.
 */
export class CallsInFlight {
  readonly #lines = new Map<string, Line>();

  /**
   * Calls `begin`, which must not reject, at once or when there is room. Returns null where it has begun, else what
   * takes it back until it does.
   */
  enter(installationId: string, name: string, max: number, begin: () => Promise<unknown>): (() => void) | null {
    if (PATIENT.has(name) || isStreamCall(name)) {
      void begin();
      return null;
    }
    let line = this.#lines.get(installationId);
    if (!line) {
      line = { inFlight: 0, waiting: new Set() };
      this.#lines.set(installationId, line);
    }
    const call: Waiting = { max, begin };
    if (line.waiting.size === 0 && line.inFlight < max) {
      this.#begin(installationId, line, call);
      return null;
    }
    const { waiting } = line;
    waiting.add(call);
    return () => waiting.delete(call);
  }

  #begin(installationId: string, line: Line, call: Waiting): void {
    line.inFlight++;
    void call.begin().then(() => {
      line.inFlight--;
      for (const next of line.waiting) {
        if (line.inFlight >= next.max) break;
        line.waiting.delete(next);
        this.#begin(installationId, line, next);
      }
      if (line.inFlight === 0) this.#lines.delete(installationId);
    });
  }
}
