/** The memory of one answer while it is read. */
export interface HeldBody {
  grow(bytes: number): void;
  release(): void;
}

/** Begins one; `giveUp` is called at most once, where it must go before its end. */
export type HoldBody = (ownerId: string, giveUp: () => void) => HeldBody;

interface Body {
  ownerId: string;
  bytes: number;
  giveUp(): void;
}

/**
 * Bounds the memory of all answers that are being read. Where they become more than `bytesMax`, the largest one of the owner that
 * holds most is given up: nobody waits for room, and whoever stalls answers to fill the host loses their own.
 */
export function heldBodies(bytesMax: number): HoldBody {
  const bodies = new Set<Body>();
  let held = 0;
  const release = (body: Body) => {
    if (bodies.delete(body)) held -= body.bytes;
  };
  return (ownerId, giveUp) => {
    const body: Body = { ownerId, bytes: 0, giveUp };
    bodies.add(body);
    return {
      grow: (bytes) => {
        if (!bodies.has(body)) return;
        body.bytes += bytes;
        held += bytes;
        while (held > bytesMax) {
          const largest = largestOfTheLargest(bodies);
          release(largest);
          largest.giveUp();
        }
      },
      release: () => release(body),
    };
  };
}

function largestOfTheLargest(bodies: ReadonlySet<Body>): Body {
  const owners = new Map<string, number>();
  for (const { ownerId, bytes } of bodies) owners.set(ownerId, (owners.get(ownerId) ?? 0) + bytes);
  const [[most]] = [...owners].sort(([, one], [, other]) => other - one) as [[string, number]];
  return [...bodies]
    .filter(({ ownerId }) => ownerId === most)
    .reduce((one, other) => (other.bytes > one.bytes ? other : one));
}
