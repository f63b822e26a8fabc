import { HostRefusal } from '../errors.ts';
import type { LoopLook } from './event-loop-delay.ts';

export type ShedReason = 'event-loop-delay' | 'requests-in-flight';

export interface LoadStatus {
  /** Requests of the data plane that are being answered. */
  inFlight: number;
  /** Mean wait for the event loop within the last second, in milliseconds. */
  delayMs: number;
  /** Why new requests are refused now; null where they are not. */
  shedding: ShedReason | null;
}

/** Decides at the door of the data plane, before anything is read or looked up. */
export interface LoadShedder {
  /** Lets a request in (null; it must `leave`), or returns the refusal to answer it with: host-overloaded. */
  enter(): HostRefusal | null;
  leave(): void;
  /** To be told again and again how late the event loop is; see `watchEventLoop`. */
  onLook(look: LoopLook): void;
  status(): LoadStatus;
}

export interface LoadShedderPorts {
  /** Mean wait from which on requests are refused; 0: never because of it. */
  delayMsMax: number;
  /** Requests of the data plane at a time. */
  requestsMax: number;
  onShed(reason: ShedReason): void;
  /** Refusing has begun or, with null, ended. */
  onChange(status: LoadStatus): void;
}

/** Below these parts of the bounds requests are let in again, so that the host does not waver at the bound. */
const CALM_DELAY = 1 / 2;
const CALM_REQUESTS = 7 / 8;
/** One pause, however long, is over when it is seen; a loop that is late again has too much to do. */
const LATE_IN_ROW_MIN = 2;

export function createLoadShedder({ delayMsMax, requestsMax, onShed, onChange }: LoadShedderPorts): LoadShedder {
  const calmRequests = Math.floor(requestsMax * CALM_REQUESTS);
  let inFlight = 0;
  let delayMs = 0;
  let late = false;
  let full = false;

  const shedding = (): ShedReason | null => (late ? 'event-loop-delay' : full ? 'requests-in-flight' : null);
  const status = (): LoadStatus => ({ inFlight, delayMs, shedding: shedding() });
  const change = (toLate: boolean, toFull: boolean) => {
    const before = shedding();
    late = toLate;
    full = toFull;
    if (shedding() !== before) onChange(status());
  };

  return {
    enter: () => {
      if (late || full) {
        const reason = shedding()!;
        onShed(reason);
        return new HostRefusal('host-overloaded', undefined, { reason });
      }
      inFlight += 1;
      if (inFlight >= requestsMax) change(late, true);
      return null;
    },
    leave: () => {
      inFlight -= 1;
      if (full && inFlight <= calmRequests) change(late, false);
    },
    onLook: ({ meanMs, lateInRow }) => {
      delayMs = meanMs;
      if (delayMsMax === 0) return;
      if (!late && meanMs >= delayMsMax && lateInRow >= LATE_IN_ROW_MIN) change(true, full);
      else if (late && meanMs <= delayMsMax * CALM_DELAY) change(false, full);
    },
    status,
  };
}
