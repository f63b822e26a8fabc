import { expect } from 'chai';
import { nextStates, RELEASE_STATES, TRANSITIONS } from '../../rules/release-states.ts';
import { sampleManifest } from '../../test-registry.ts';
import { againstAutomatic, isPatchOf } from './approve-automatically.ts';
import { openItems } from './checklist.ts';
import { type ComparedRelease, compareWithPrevious, type ScanFinding } from './compare-with-previous.ts';

const file = (sha256: string, bytes = 1) => ({ sha256, bytes });
const finding = (id: string, severity = 'high', line = 1): ScanFinding => ({
  ...{ id, severity, line },
  message: `a ${id}`,
  file: 'bundle.js',
});
const release = (changes: Partial<ComparedRelease> = {}): ComparedRelease => ({
  version: '1.0.0',
  manifest: sampleManifest(),
  files: new Map([['bundle.js', file('a')]]),
  findings: [],
  ...changes,
});

describe('the states of a release', () => {
  it('can all be reached from a draft', () => {
    const reached = new Set(['draft']);
    for (const _ of RELEASE_STATES) for (const { from, to } of TRANSITIONS) if (reached.has(from)) reached.add(to);
    expect([...reached].sort()).to.deep.equal([...RELEASE_STATES].sort());
  });

  it('let no publisher approve, reject, take down or restore', () => {
    for (const from of RELEASE_STATES)
      for (const event of ['approve', 'reject', 'request-changes', 'take-down', 'restore'] as const)
        expect(nextStates(from, event, 'publisher'), `${event} from ${from}`).to.deep.equal([]);
  });

  it('let nobody run what was never approved', () => {
    const running = ['published', 'deprecated', 'yanked', 'suspended'];
    const ways = TRANSITIONS.filter(({ from, to }) => !running.includes(from) && running.includes(to));
    expect(ways.map(({ event }) => event)).to.deep.equal(['approve', 'publish']);
  });
});

describe('compareWithPrevious', () => {
  it('names files, capabilities, hosts, secrets, routes and hooks that came and went', () => {
    const reason = 'To remember who was greeted.';
    const before = release({
      manifest: sampleManifest({ capabilities: [{ name: 'kv', reason }], fetchHosts: ['old.example.com'] }),
      files: new Map([
        ['bundle.js', file('a', 10)],
        ['README.md', file('r')],
      ]),
    });
    const after = release({
      version: '1.1.0',
      manifest: sampleManifest({
        capabilities: [{ name: 'fetch', reason }],
        fetchHosts: ['new.example.com'],
        secrets: [{ name: 'API_KEY', reason }],
        routes: [{ method: 'GET', path: '/hello', access: 'public' }],
        hooks: ['order.paid'],
      }),
      files: new Map([
        ['bundle.js', file('b', 12)],
        ['LICENCE', file('l')],
      ]),
    });
    expect(compareWithPrevious(before, after)).to.deep.equal({
      previousVersion: '1.0.0',
      files: [
        { name: 'LICENCE', change: 'added', bytes: 1, bytesBefore: 0 },
        { name: 'README.md', change: 'removed', bytes: 0, bytesBefore: 1 },
        { name: 'bundle.js', change: 'changed', bytes: 12, bytesBefore: 10 },
      ],
      manifest: ['capabilities', 'fetchHosts', 'hooks', 'routes', 'secrets'],
      capabilities: { added: ['fetch'], removed: ['kv'] },
      hosts: { added: ['new.example.com'], removed: ['old.example.com'] },
      secrets: { added: ['API_KEY'], removed: [] },
      routes: { added: ['GET /hello (public)'], removed: [] },
      hooks: { added: ['order.paid'], removed: [] },
      findings: { added: [], fixed: [], same: 0 },
    });
  });

  it('knows a finding again although its line has moved', () => {
    const before = release({ findings: [finding('redos'), finding('secret')] });
    const after = release({ findings: [finding('redos', 'high', 99), finding('obfuscation')] });
    const { findings } = compareWithPrevious(before, after);
    expect([findings!.added.map(({ id }) => id), findings!.fixed.map(({ id }) => id), findings!.same]).to.deep.equal([
      ['obfuscation'],
      ['secret'],
      1,
    ]);
  });

  it('takes one more of the same for new, and what has become worse', () => {
    const before = release({ findings: [finding('eval'), finding('tampering', 'medium'), finding('secret')] });
    const after = release({ findings: [finding('eval'), finding('eval', 'high', 9), finding('tampering')] });
    const { findings } = compareWithPrevious(before, after);
    const named = (list: ScanFinding[]) => list.map(({ id, severity }) => `${id} ${severity}`);
    expect([named(findings!.added), named(findings!.fixed), findings!.same]).to.deep.equal([
      ['eval high', 'tampering high'],
      ['tampering medium', 'secret high'],
      1,
    ]);
  });

  it('takes everything for new where nothing was before, and says where nothing was scanned', () => {
    const comparison = compareWithPrevious(null, release({ findings: null }));
    expect(comparison.previousVersion).to.equal(null);
    expect(comparison.files).to.have.length(1);
    expect(comparison.findings).to.equal(null);
  });
});

describe('againstAutomatic', () => {
  const before = release();
  const against = (changes: Partial<ComparedRelease> = {}, facts = {}) => {
    const after = release({ version: '1.0.1', files: new Map([['bundle.js', file('b')]]), ...changes });
    const comparison = compareWithPrevious(before, after);
    const { version, findings } = after;
    return againstAutomatic({ trusted: true, round: 1, version, comparison, findings, ...facts });
  };

  it('has nothing against a clean patch of a trusted publisher', () => {
    expect(against()).to.deep.equal([]);
    expect(against({ findings: [finding('licence', 'info')] })).to.deep.equal([]);
  });

  it('leaves to people whatever widens, was sent back, is unknown or has findings', () => {
    const reason = 'To remember who was greeted.';
    const capabilities = [{ name: 'kv' as const, reason }];
    const hosts = ['a.example.com'];
    const cases: [string[], RegExp][] = [
      [against({}, { trusted: false }), /not trusted/],
      [against({}, { round: 2 }), /before the moderators/],
      [against({ version: '1.1.0' }), /no patch/],
      [against({ manifest: sampleManifest({ capabilities }) }), /new capabilities: kv/],
      [against({ manifest: sampleManifest({ fetchHosts: hosts }) }), /new hosts: a.example.com/],
      [against({ manifest: sampleManifest({ hooks: ['order.paid'] }) }), /new hooks/],
      [against({ manifest: sampleManifest({ title: 'Your bank' }) }), /changes title/],
      [against({ manifest: sampleManifest({ limits: { wallMs: 25_000 } }) }), /changes limits/],
      [against({ findings: null }), /not been scanned/],
      [against({ findings: [finding('redos', 'low')] }), /found redos/],
    ];
    for (const [reasons, wanted] of cases) {
      expect(reasons, String(wanted)).to.have.length(1);
      expect(reasons[0]).to.match(wanted);
    }
  });

  it('takes 1.2.10 for a patch of 1.2.9, and no pre-release for any', () => {
    expect(isPatchOf('1.2.9', '1.2.10')).to.equal(true);
    for (const [one, other] of [
      ['1.2.9', '1.3.0'],
      ['1.2.9', '1.2.9'],
      ['1.2.9', '1.2.8'],
      ['1.2.9', '1.2.10-rc.1'],
      ['1.2.9-rc.1', '1.2.9'],
    ])
      expect(isPatchOf(one!, other!), `${one} ${other}`).to.equal(false);
  });
});

describe('the checklist', () => {
  it('need not be used, but where it was begun it has to be done and without a fault', () => {
    expect(openItems({})).to.deep.equal([]);
    const fine = { verdict: 'fine' as const, note: null };
    expect(openItems({ code: fine }))
      .to.include('hosts')
      .and.not.include('code');
    expect(openItems({ code: { ...fine, verdict: 'fault' } })).to.include('code');
  });
});
