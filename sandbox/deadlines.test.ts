import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { monotonicMs } from './clock.ts';
import { Deadlines, type Due } from './deadlines.ts';

class Task implements Due {
  dueMs: number;
  readonly #tell: () => number | null;
  readonly #from: Set<Due>;

  /** `tell` is called when it is due, and returns for how long it goes on; null: it is over. */
  constructor(from: Set<Due>, afterMs: number, tell: () => number | null) {
    this.dueMs = monotonicMs() + afterMs;
    this.#tell = tell;
    this.#from = from.add(this);
  }

  onDue(): void {
    expect(monotonicMs()).to.be.at.least(this.dueMs);
    const moreMs = this.#tell();
    if (moreMs === null) this.#from.delete(this);
    else this.dueMs = monotonicMs() + moreMs;
  }
}

describe('Deadlines', () => {
  it('tells each whose time has come, no sooner, and nobody who was over before', async () => {
    const tasks = new Set<Due>();
    const deadlines = new Deadlines(() => [...tasks]);
    const told: string[] = [];
    const add = (name: string, afterMs: number) => {
      const task = new Task(tasks, afterMs, () => {
        told.push(name);
        return null;
      });
      deadlines.watch(task.dueMs);
      return task;
    };
    add('third', 60);
    tasks.delete(add('over before', 5));
    add('first', 20);
    add('second', 40);
    add('fourth', 60_000);
    while (told.length < 3) await pause(5);
    // A busy machine may find all of them due at one look, which takes them in no order.
    expect(told).to.have.members(['first', 'second', 'third']);
    deadlines.close();
  });

  it('comes back to one that goes on', async () => {
    const tasks = new Set<Due>();
    const deadlines = new Deadlines(() => [...tasks]);
    let times = 0;
    const task = new Task(tasks, 5, () => (++times < 3 ? 5 : null));
    deadlines.watch(task.dueMs);
    while (tasks.size > 0) await pause(5);
    expect(times).to.equal(3);
    deadlines.close();
  });

  it('looks less often while more is under way', async () => {
    const tasks: Due[] = [];
    let looks = 0;
    const deadlines = new Deadlines(() => {
      looks++;
      return tasks;
    });
    let told = 0;
    const startMs = monotonicMs() + 200;
    // A hundred come due in every millisecond of a tenth of a second, and go on.
    for (let at = 0; at < 10_000; at++) {
      const task = {
        dueMs: startMs + at / 100,
        onDue: () => {
          told++;
          task.dueMs += 60_000;
        },
      };
      tasks.push(task);
    }
    for (const { dueMs } of tasks) deadlines.watch(dueMs);
    while (told < tasks.length) await pause(5);
    // Each look asks twice, and they are ten milliseconds apart; one a millisecond would be two hundred.
    expect(looks).to.be.at.most(30);
    deadlines.close();
  });
});
