import v8 from 'node:v8';
import vm from 'node:vm';

/** isolated-vm hands longer texts over as external strings. */
const EXTERNAL_UNITS_MIN = 1_024;
const COLLECT_EVERY_UNITS = 32 * 1024 * 1024;

/** Collects what the texts of guests leave behind in a lane's own heap. */
export interface LaneGarbage {
  /** A guest has said a text of so many units, or more. */
  note(units: number): void;
  /** Not inside a turn: a collection takes some milliseconds. */
  collect(): void;
}

/**
 * V8 puts external strings into its old generation at once, and has no reason to collect them there: they are small, and the bytes
 * that they keep are outside of its heap. Answers of 10 kB made a cordon grow by 60 MiB a second up to 650 MiB, where it was recycled
 * sooner or later with all that was warm; collected every 32 MiB it has 145.
 */
export function createLaneGarbage(collectNow: () => void): LaneGarbage {
  let units = 0;
  return {
    note: (more) => {
      if (more >= EXTERNAL_UNITS_MIN) units += more;
    },
    collect: () => {
      if (units < COLLECT_EVERY_UNITS) return;
      units = 0;
      collectNow();
    },
  };
}

/**
 * What collects the garbage of this thread's heap. V8 gives it to contexts that are made while a flag of the whole process is set, so
 * `meet` must wait until all lanes have theirs: from then on, plugins may get contexts.
 */
export function takeCollector(meet: () => void): () => void {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  meet();
  v8.setFlagsFromString('--no-expose-gc');
  return collect;
}
