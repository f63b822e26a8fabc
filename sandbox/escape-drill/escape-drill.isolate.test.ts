import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ALL_LAYERS, type KernelLayer } from '../confinement/layers.ts';
import { confinementOf } from '../launch-cordon.ts';
import type { Armour, Attempt, AttemptResult } from './attempt.ts';
import { FAMILIES } from './attempts.ts';
import { type DrillOptions, type DrillReport, SECRET } from './run-drill.ts';

const run = promisify(execFile);
const RUN_DRILL = `${import.meta.dirname}/run-drill.ts`;
const isRoot = process.getuid?.() === 0;
/** Accounts of nobody on this machine. */
const [ORDINARY_ID, OTHER_ID] = [54_321, 54_322];
/** Node.js says so in a thread about what concerns the whole process. */
const NOT_IN_THREADS = /^ERR_WORKER_UNSUPPORTED_OPERATION$|is not a function/;
const DENIES_ALL_MAJOR = 26;
const isOldNode = Number.parseInt(process.versions.node, 10) < DENIES_ALL_MAJOR;
const REPORT_BYTES_MAX = 8 * 1024 * 1024;

const asAccount = (id: number | null, command: string[]): string[] =>
  id === null ? command : ['setpriv', '--reuid', `${id}`, '--regid', `${id}`, '--clear-groups', ...command];
const sleeper = (id: number | null): ChildProcess => {
  const [program, ...args] = asAccount(id, ['sleep', '3600']);
  return spawn(program!, args, { stdio: 'ignore' });
};

/** A drill in a process of its own, under an account, next to a process of the same and one of another. */
async function drill(account: number | null, options: Omit<DrillOptions, 'otherPids'>): Promise<DrillReport> {
  const [same, other] = [sleeper(account), sleeper(isRoot ? OTHER_ID : null)];
  try {
    const otherPids = { sameAccount: same.pid!, otherAccount: other.pid! };
    const [program, ...args] = asAccount(account, [
      process.execPath,
      RUN_DRILL,
      JSON.stringify({ ...options, otherPids }),
    ]);
    const { stdout } = await run(program!, args, {
      env: { DRILL_SECRET: SECRET },
      cwd: '/',
      maxBuffer: REPORT_BYTES_MAX,
    });
    return JSON.parse(stdout) as DrillReport;
  } finally {
    for (const child of [same, other]) child.kill('SIGKILL');
  }
}

const byName = new Map(
  Object.values(FAMILIES)
    .flat()
    .map((attempt) => [attempt.name, attempt]),
);

/** Results that are not as the table says, as sentences. */
function surprises({ main, thread }: DrillReport, armour: Armour): string[] {
  const check = (where: string, { name, refusal, got }: AttemptResult): string[] => {
    const { refusals, accepted } = byName.get(name) as Attempt;
    if (accepted?.[armour]) return refusal === null ? [] : [`${where} no longer ${name}: ${refusal}`];
    if (refusal === null) return [`${where} ${name}: ${got}`];
    const isKnown = refusals[armour]!.includes(refusal) || (where === 'thread' && NOT_IN_THREADS.test(refusal));
    return isKnown ? [] : [`${where} ${name}: refused with ${refusal}`];
  };
  return [...main.flatMap((result) => check('main', result)), ...thread.flatMap((result) => check('thread', result))];
}

/** Whether this machine has them all; without them there is nothing to test. */
async function areGranted(layers: KernelLayer[]): Promise<boolean> {
  const granted = await confinementOf('auto');
  return layers.every((layer) => granted.layers.has(layer));
}

const succeeded = ({ main }: DrillReport): string[] =>
  main.filter(({ refusal }) => refusal === null).map(({ name }) => name);
const namesOf = (...families: string[]): string[] =>
  families.flatMap((family) => FAMILIES[family]!.map(({ name }) => name));

/** Whether an ordinary account can read this code and run this Node.js: not below a folder that only root can enter. */
function ordinaryCanRun(): boolean {
  const asOrdinary = ['--reuid', String(ORDINARY_ID), '--regid', String(ORDINARY_ID), '--clear-groups'];
  return [RUN_DRILL, process.execPath].every(
    (file) => spawnSync('setpriv', [...asOrdinary, 'test', '-r', file]).status === 0,
  );
}

describe('a plugin that has left V8', () => {
  const accounts: [string, number | null][] = isRoot
    ? [
        ['a host of root', null],
        ['a host of an ordinary account', ORDINARY_ID],
      ]
    : [['a host of this account', null]];

  for (const [host, account] of accounts) {
    for (const armour of ['shipped', 'native'] as const) {
      it(`reaches nothing of ${host} ${armour === 'native' ? 'by machine code either' : 'by anything that Node.js offers'}`, async function () {
        if (isOldNode || !(await areGranted(armour === 'native' ? ALL_LAYERS : ['system-call-filter']))) this.skip();
        if (account !== null && !ordinaryCanRun()) this.skip();
        const report = await drill(account, { armour });
        expect(surprises(report, armour)).to.deep.equal([]);
        expect(report.noticed).to.deep.equal({ connections: 0, datagrams: 0, changes: [] });
        expect(JSON.stringify(report)).to.not.include(SECRET);
        expect(report.main.length).to.equal(report.thread.length).greaterThan(100);
      });
    }
  }

  it('reaches nothing by anything that Node.js offers in a container that allows no namespaces either', async function () {
    if (!isRoot || isOldNode) this.skip();
    const layers: KernelLayer[] = ['no-new-privileges', 'resource-limits', 'system-call-filter'];
    if (!(await areGranted(layers))) this.skip();
    const report = await drill(null, { armour: 'shipped', layers });
    expect(surprises(report, 'shipped')).to.deep.equal([]);
    expect(report.noticed).to.deep.equal({ connections: 0, datagrams: 0, changes: [] });
  });

  it('would reach a lot if nothing but its account held it: the attempts are real', async function () {
    if (!isRoot || isOldNode) this.skip();
    const report = await drill(null, { armour: 'native', layers: [] });
    expect(succeeded(report)).to.include.members([
      'reads /etc/passwd',
      'reads what everybody may read',
      "reads the host's command line",
      'writes where everybody may',
      'connects by TCP',
      'sends a datagram',
      'connects to the database by its path',
      'connects to an abstract socket',
      'starts a program',
      'signals everybody',
      'opens a database file',
      'fills the disk through the black box',
    ]);
    expect(report.noticed.connections).to.be.greaterThan(3);
    expect(report.noticed.datagrams).to.be.greaterThan(0);
    expect(report.noticed.changes).to.include('open/x');
    // Which is why a host should be root: a file of its own is safe even so.
    expect(succeeded(report)).to.not.include("reads the host's secret");
  });

  const ALONE: { layer: KernelLayer; stops: string[]; not: string[] }[] = [
    {
      layer: 'system-call-filter',
      stops: [
        ...namesOf('files to change', 'network', 'signals', 'system calls'),
        'starts a program',
        'starts a shell',
        'forks itself',
      ],
      not: ['reads /etc/passwd', 'fills the disk through the black box'],
    },
    {
      layer: 'own-network',
      stops: [
        'connects by TCP',
        'fetches',
        'sends a datagram',
        'asks its own name server',
        'connects to an abstract socket',
      ],
      not: ['connects to the database by its path', 'reads /etc/passwd'],
    },
    {
      layer: 'own-root',
      stops: [
        ...namesOf('files to read', 'what the system says about processes', 'files to change'),
        'connects to the database by its path',
        'signals the host',
        'signals a process of the same account',
        'opens a database file',
      ],
      not: ['connects by TCP', 'starts a program'],
    },
    {
      layer: 'resource-limits',
      stops: namesOf('exhaustion'),
      not: ['reads /etc/passwd', 'connects by TCP'],
    },
  ];
  for (const { layer, stops, not } of ALONE) {
    it(`is stopped by ${layer} alone where that is what stands in its way`, async function () {
      if (!isRoot || isOldNode || !(await areGranted([layer]))) this.skip();
      const got = succeeded(await drill(null, { armour: 'native', layers: [layer] }));
      expect(got.filter((name) => stops.includes(name))).to.deep.equal([]);
      expect(got).to.include.members(not);
    });
  }
});
