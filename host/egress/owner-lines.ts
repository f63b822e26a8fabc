interface Line {
  underWay: number;
  /** In order of arrival. */
  waiting: Set<() => void>;
}

export interface OwnerLines {
  /** Resolves when it may begin; rejects with the signal's reason. Every one that resolved needs one `leave`. */
  enter(ownerId: string, signal: AbortSignal): Promise<void>;
  leave(ownerId: string): void;
}

/** Lets every owner do `max` things at a time; further ones wait for those of the same owner, and for nobody else's. */
export function ownerLines(max: number): OwnerLines {
  const lines = new Map<string, Line>();
  return {
    enter: async (ownerId, signal) => {
      signal.throwIfAborted();
      const line = lines.get(ownerId) ?? { underWay: 0, waiting: new Set() };
      lines.set(ownerId, line);
      if (line.underWay < max) line.underWay += 1;
      else await turnIn(line, signal);
    },
    leave: (ownerId) => {
      const line = lines.get(ownerId)!;
      const [next] = line.waiting;
      // Whoever leaves hands its place over, so nobody who comes later takes it.
      if (next) return next();
      line.underWay -= 1;
      if (line.underWay === 0) lines.delete(ownerId);
    },
  };
}

const turnIn = ({ waiting }: Line, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const begin = () => {
      waiting.delete(begin);
      signal.removeEventListener('abort', giveUp);
      resolve();
    };
    const giveUp = () => {
      waiting.delete(begin);
      reject(signal.reason);
    };
    signal.addEventListener('abort', giveUp);
    waiting.add(begin);
  });
