import { expect } from 'chai';
import type { Log } from '../http/log.ts';
import { createSupervisor, type HostProcess, type Served } from './supervise.ts';

const SERVED: Served = { url: 'http://127.0.0.1:1', adminUrl: null };
const settle = () => new Promise((resolve) => setImmediate(resolve));

interface FakeHost extends HostProcess {
  number: number;
  said: string[];
  serve(): void;
  die(how: string): void;
}

/** Processes that do what they are told, a clock that stands, and pauses that end when the test says so. */
function supervise(hosts: number, { servesAtOnce = true } = {}) {
  const launched: FakeHost[] = [];
  const pauses: { ms: number; end(): void }[] = [];
  const log: Log = { debug() {}, info() {}, warn() {}, error() {} };
  const launch = (number: number): HostProcess => {
    const served = Promise.withResolvers<Served | null>();
    const ended = Promise.withResolvers<string>();
    const said: string[] = [];
    const host: FakeHost = {
      number,
      pid: launched.length,
      said,
      served: served.promise,
      ended: ended.promise,
      serve: () => served.resolve(SERVED),
      die(how) {
        served.resolve(null);
        ended.resolve(how);
      },
      allReady: () => said.push('all-ready'),
      drain() {
        said.push('drain');
        host.die('exit code 0');
      },
      kill: () => host.die('SIGKILL'),
      expose: async () => `# TYPE calls_total counter\ncalls_total ${number}\n`,
    };
    launched.push(host);
    if (servesAtOnce) host.serve();
    return host;
  };
  const pause = (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      pauses.push({ ms, end: resolve });
      signal.addEventListener('abort', () => resolve());
    });
  return { supervisor: createSupervisor({ hosts, launch, log, nowMs: () => 0, pause }), launched, pauses };
}

describe('A supervisor', () => {
  it('starts the first host alone, then the others, and tells all when all are ready', async () => {
    const { supervisor, launched } = supervise(3, { servesAtOnce: false });
    const starting = supervisor.start();
    await settle();
    expect(launched.map(({ number }) => number)).to.deep.equal([1]);
    launched[0]!.serve();
    await settle();
    expect(launched.map(({ number }) => number)).to.deep.equal([1, 2, 3]);
    launched[1]!.serve();
    await settle();
    expect(launched.flatMap(({ said }) => said)).to.deep.equal([]);
    launched[2]!.serve();
    expect(await starting).to.deep.equal(SERVED);
    expect(launched.map(({ said }) => said)).to.deep.equal([['all-ready'], ['all-ready'], ['all-ready']]);
  });

  it('starts nothing more where the first host does not start, and ends all where another does not', async () => {
    const one = supervise(2, { servesAtOnce: false });
    const starting = one.supervisor.start();
    one.launched[0]!.die('exit code 1');
    expect(await starting).to.equal(null);
    expect(one.launched).to.have.length(1);

    const two = supervise(2, { servesAtOnce: false });
    const startingTwo = two.supervisor.start();
    two.launched[0]!.serve();
    await settle();
    two.launched[1]!.die('exit code 1');
    expect(await startingTwo).to.equal(null);
    expect(two.launched[0]!.said).to.include('drain');
  });

  it('starts a host again that has died, after pauses that grow, and leaves the other alone', async () => {
    const { supervisor, launched, pauses } = supervise(2);
    await supervisor.start();
    for (const at of [0, 2, 3]) {
      launched[at]!.die('SIGKILL');
      await settle();
      pauses.at(-1)!.end();
      await settle();
    }
    expect(launched.map(({ number }) => number)).to.deep.equal([1, 2, 1, 1, 1]);
    expect(pauses.map(({ ms }) => ms)).to.deep.equal([100, 200, 400]);
    expect(launched[1]!.said).to.deep.equal(['all-ready']);
    expect(launched[4]!.said).to.deep.equal(['all-ready']);
    expect(await supervisor.exposeAll()).to.include('gatehouse_host_restarts_total{host="1"} 3');
  });

  it('shows the metrics of hosts that serve, and says which does not', async () => {
    const { supervisor, launched } = supervise(2);
    await supervisor.start();
    launched[1]!.die('SIGSEGV');
    await settle();
    const text = await supervisor.exposeAll();
    expect(text).to.include('calls_total{host="1"} 1').and.include('gatehouse_host_up{host="1"} 1');
    expect(text).to.include('gatehouse_host_up{host="2"} 0').and.not.include('calls_total{host="2"}');
  });

  it('replaces its hosts one after the other, each only when its successor serves', async () => {
    const { supervisor, launched, pauses } = supervise(2, { servesAtOnce: false });
    const starting = supervisor.start();
    launched[0]!.serve();
    await settle();
    launched[1]!.serve();
    await starting;
    const replacing = supervisor.replaceAll();
    expect(supervisor.replaceAll(), 'asked twice').to.equal(replacing);
    await settle();
    expect(launched).to.have.length(3);
    expect(launched[0]!.said).to.not.include('drain');
    launched[2]!.serve();
    await settle();
    expect(launched[0]!.said).to.include('drain');
    expect(launched[1]!.said).to.not.include('drain');
    launched[3]!.serve();
    await replacing;
    expect(launched[1]!.said).to.include('drain');
    expect(pauses, 'nobody died').to.deep.equal([]);
    // The successors are looked after like those before them.
    launched[2]!.die('SIGKILL');
    await settle();
    pauses[0]!.end();
    await settle();
    expect(launched.map(({ number }) => number)).to.deep.equal([1, 2, 1, 2, 1]);
  });

  it('keeps the old hosts where a new one does not start', async () => {
    const { supervisor, launched } = supervise(2, { servesAtOnce: false });
    const starting = supervisor.start();
    launched[0]!.serve();
    await settle();
    launched[1]!.serve();
    await starting;
    const replacing = supervisor.replaceAll();
    launched[2]!.die('exit code 1');
    await replacing;
    expect(launched).to.have.length(3);
    expect(launched.slice(0, 2).flatMap(({ said }) => said)).to.not.include('drain');
  });

  it('drains all hosts at the end, and starts none again, not even one whose pause runs', async () => {
    const { supervisor, launched } = supervise(2);
    await supervisor.start();
    launched[0]!.die('SIGKILL');
    await settle();
    await supervisor.close();
    await settle();
    expect(launched).to.have.length(2);
    expect(launched[1]!.said).to.include('drain');
  });
});
