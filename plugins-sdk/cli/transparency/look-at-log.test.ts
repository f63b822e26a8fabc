import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { EMPTY_ROOT, keyIdOf, signKeyLink } from '../../contract/index.ts';
import { type FakeLog, fakeLog, keyEntry } from './fake-log.ts';
import { comparedWith, type LogLook, type LookOptions, lookAtLog } from './look-at-log.ts';

const DAY_MS = 86_400_000;

describe('an auditor of the transparency log', () => {
  let log: FakeLog;
  beforeEach(() => {
    log = fakeLog(7);
  });
  const look = (options: Partial<LookOptions> = {}) =>
    lookAtLog(log, {
      before: null,
      trustedKey: null,
      whole: true,
      url: 'http://x',
      nowMs: log.clock.nowMs,
      ageMsMax: DAY_MS,
      ...options,
    });
  const kinds = ({ findings }: LogLook) => findings.map(({ kind }) => kind);
  /** The same auditor once more, after `change`. */
  const seenThen = async (change: () => void, options: Partial<LookOptions> = {}) => {
    const { state } = await look();
    change();
    return look({ before: state, ...options });
  };

  it('hashes every entry again and counts them by event', async () => {
    const seen = await look();
    expect(seen).to.deep.include({ findings: [], hashed: 7, events: { 'key.register': 7 } });
    expect(seen.state?.head).to.deep.equal(log.head());
  });

  it('takes an empty log for what it is', async () => {
    log = fakeLog(0);
    const seen = await look();
    expect(seen.head.root).to.equal(EMPTY_ROOT.toString('hex'));
    expect(seen.findings).to.deep.equal([]);
    expect(kinds(await seenThen(() => log.entries.push(keyEntry('new'))))).to.deep.equal([]);
  });

  it('needs only what is new, or hashes everything once more', async () => {
    const grow = () => log.entries.push(keyEntry('x'), keyEntry('y'));
    expect(await seenThen(grow, { whole: false })).to.deep.include({ findings: [], hashed: 2 });
    expect(await seenThen(grow)).to.deep.include({ findings: [], hashed: 11 });
  });

  it('finds a log whose past was rewritten, with a valid signature and valid proofs', async () => {
    const rewrite = () => {
      log.entries[2] = keyEntry('another');
      log.entries.push(keyEntry('new'));
    };
    expect(kinds(await seenThen(rewrite))).to.deep.equal(['rewritten']);
    log = fakeLog(7);
    expect(kinds(await seenThen(rewrite, { whole: false })), 'from the new entries alone').to.deep.equal(['rewritten']);
  });

  it('remembers nothing of a log in which it found something', async () => {
    const { state } = await seenThen(() => log.entries.reverse());
    expect(state).to.equal(null);
  });

  it('finds two heads of one size with different roots', async () => {
    expect(kinds(await seenThen(() => log.entries.reverse()))).to.deep.equal(['forked']);
  });

  it('finds a log that became shorter', async () => {
    expect(kinds(await seenThen(() => log.entries.pop()))).to.deep.equal(['shrunk']);
  });

  it('finds a head that another key signed, and one whose signature is wrong', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const stolen = () => {
      log.signingKey = privateKey;
    };
    expect(kinds(await seenThen(stolen))).to.deep.equal(['key-changed']);
    expect(kinds(await look({ trustedKey: createPublicKey(fakeLog(1).signingKey as never) }))).to.deep.equal([
      'key-changed',
    ]);
    const { transparency } = log;
    log.transparency = async () => {
      const shown = await transparency();
      return { ...shown, head: { ...shown.head, size: shown.head.size - 1 } };
    };
    expect(kinds(await look())).to.deep.equal(['head-forged']);
  });

  it('follows a key that the trusted one named as its successor, and trusts that one from then on', async () => {
    const { state } = await look();
    const [old, next] = [log.signingKey, generateKeyPairSync('ed25519').privateKey];
    const at = new Date(log.clock.nowMs).toISOString();
    const retiresAt = new Date(log.clock.nowMs + DAY_MS).toISOString();
    log.keys = [signKeyLink(old, next, { at, retiresAt })];
    // In the overlap either may sign; this host has the old one still.
    const during = await look({ before: state });
    expect(during.findings).to.deep.equal([]);
    expect(during.rotation?.to).to.equal(keyIdOf(createPublicKey(next as never)));
    log.signingKey = next;
    log.entries.push(keyEntry('new'));
    const after = await look({ before: state });
    expect(after.findings).to.deep.equal([]);
    expect(after.state?.publicKeyPem).to.equal(
      createPublicKey(next as never).export({ type: 'spki', format: 'pem' }) as string,
    );
    expect(await look({ before: after.state })).to.deep.include({ findings: [], rotation: null });
    log.signingKey = old;
    expect(kinds(await look({ before: after.state })), 'in the overlap').to.deep.equal([]);
    log.clock.nowMs += DAY_MS;
    expect(kinds(await look({ before: after.state, ageMsMax: 2 * DAY_MS })), 'retired').to.deep.equal(['key-changed']);
    log.signingKey = next;
    log.keys = [signKeyLink(generateKeyPairSync('ed25519').privateKey, next, { at, retiresAt })];
    expect(kinds(await look({ before: state, ageMsMax: 2 * DAY_MS })), 'from elsewhere').to.deep.equal(['key-changed']);
  });

  it('finds a log that is frozen: its head is old, though it is signed', async () => {
    expect(kinds(await look({ nowMs: log.clock.nowMs + DAY_MS + 1 }))).to.deep.equal(['head-stale']);
    expect(kinds(await look({ nowMs: log.clock.nowMs - DAY_MS }))).to.deep.equal(['head-from-the-future']);
  });

  it('finds entries that are not those that were signed', async () => {
    const { logEntries } = log;
    log.logEntries = async (from) => {
      const { items } = await logEntries(from);
      return { items: items.map(({ index }) => ({ index, entry: keyEntry(`other ${index}`) })), nextCursor: null };
    };
    expect(kinds(await look())).to.deep.equal(['entries-mismatch']);
    log.logEntries = async (from) => ({
      items: (await logEntries(from)).items.slice(from === 6 ? 1 : 0),
      nextCursor: null,
    });
    expect(kinds(await look())).to.deep.equal(['entries-missing']);
    log.logEntries = async () => ({ items: [{ index: 0, entry: '{"v":2}' }], nextCursor: null });
    expect(kinds(await look())).to.deep.equal(['entry-unreadable']);
  });

  it('finds a fork by what another auditor saw, whichever of the two saw more', async () => {
    const fork = fakeLog(9, log.signingKey);
    fork.entries[3] = keyEntry('for your eyes only');
    const [mine, theirs] = [log.head(), fork.head()];
    const against = async (seen: typeof mine, shown: typeof mine) =>
      (await comparedWith(log, seen, shown, 'the other saw')).map(({ kind }) => kind);
    expect(await against(theirs, mine), 'theirs is longer').to.deep.equal(['rewritten']);
    log.entries.push(...Array.from({ length: 5 }, (_, index) => keyEntry(`${index + 7}`)));
    expect(await against(theirs, log.head()), 'mine is longer').to.deep.equal(['rewritten']);
    expect(await against(mine, log.head()), 'one log').to.deep.equal([]);
    expect(await against(log.head(), mine), 'one log, seen the other way round').to.deep.equal([]);
  });
});
