import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { type ReleaseProof, sha256Hex, signRelease, statementDigest } from '../../contract/index.ts';
import type { ServerRefusal } from '../errors.ts';
import { refusalOf } from '../test-refusal.ts';
import { type FakeLog, fakeLog, keyEntry } from '../transparency/fake-log.ts';
import { readLogState, readPublicKey } from '../transparency/log-state.ts';
import { gzipTar, writeTar } from '../write-archive.ts';
import { readProof } from './verify.ts';

const GATE = resolve(import.meta.dirname, '../../../bin/gate.ts');

/** The real program against a log that may lie. */
describe('gate audit-log and gate verify', () => {
  let root: string;
  let log: FakeLog;
  let server: Server;
  let url: string;
  before(async () => {
    server = createServer(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url!, 'http://x');
      const count = (name: string) => (searchParams.has(name) ? Number(searchParams.get(name)) : undefined);
      const [, , , what, last] = pathname.split('/');
      const work =
        what === undefined
          ? log.transparency()
          : what === 'entries'
            ? log.logEntries(count('from') ?? 0)
            : log.logConsistency(Number(last), count('to'));
      const [status, body] = await work.then(
        (value) => [200, value],
        ({ code, status: refused }: ServerRefusal) => [refused, { code, title: code, type: `/problems/${code}` }],
      );
      response.writeHead(status as number, {
        'content-type': status === 200 ? 'application/json' : 'application/problem+json',
      });
      response.end(JSON.stringify(body));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'gate-log-'));
    log = fakeLog(7);
    log.clock.nowMs = Date.now();
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  /** Without a login. `onOut` sees what was written so far. */
  const gate = (args: string[], onOut: (text: string) => void = () => {}, more = {}) =>
    new Promise<{ exitCode: number | null; out: string; err: string }>((done) => {
      const env = { PATH: process.env.PATH, HOME: root, GATEHOUSE_URL: url, ...more };
      const child = spawn(process.execPath, [GATE, ...args], { cwd: root, env });
      let [out, err] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text) => {
        out += text;
        onOut(out);
      });
      child.stderr.setEncoding('utf8').on('data', (text) => {
        err += text;
      });
      child.once('close', (exitCode) => done({ exitCode, out, err }));
    });

  it('remembers what it saw, and ends with 1 and the evidence where the past was rewritten', async () => {
    const first = await gate(['audit-log', 'verify', '--state', 'seen.json', '--json']);
    expect(first.exitCode, first.err).to.equal(0);
    expect(JSON.parse(first.out)).to.deep.include({ passed: true, hashed: 7, findings: [] });
    const seen = await readFile(join(root, 'seen.json'), 'utf8');
    log.entries[1] = keyEntry('another');
    log.entries.push(keyEntry('new'));
    const second = await gate(['audit-log', 'verify', '--state', 'seen.json']);
    expect(second.exitCode).to.equal(1);
    expect(second.out).to.contain('(rewritten)').and.contain('seen.json.evidence');
    expect(await readFile(join(root, 'seen.json'), 'utf8'), 'what is remembered').to.equal(seen);
    const evidence = JSON.parse(await readFile(join(root, 'seen.json.evidence'), 'utf8'));
    expect([evidence.seen.size, evidence.shown.size]).to.deep.equal([7, 8]);
  });

  it('watches until the log is forked', async () => {
    const watching = await gate(['audit-log', 'verify', '--watch', '--interval', '0.05'], (out) => {
      if (out.includes('7 entries') && log.entries[0] !== keyEntry('fork')) log.entries[0] = keyEntry('fork');
    });
    expect(watching.exitCode).to.equal(1);
    expect(watching.out).to.contain('7 entries, 7 of them hashed now').and.contain('(forked)');
  });

  it('takes no damaged memory for none, no private key for a public one, and no other document for a proof', async () => {
    const [state, key, none] = [join(root, 'seen.json'), join(root, 'key.pem'), join(root, 'none.json')];
    await writeFile(state, '{"version":1}');
    expect((await refusalOf(readLogState(state))).code).to.equal('settings-invalid');
    expect((await refusalOf(readProof(none))).code).to.equal('file-unreadable');
    await writeFile(none, '{"version":2}');
    expect((await refusalOf(readProof(none))).code).to.equal('proof-invalid');
    await writeFile(key, log.signingKey.export({ type: 'pkcs8', format: 'pem' }));
    expect((await refusalOf(readPublicKey(key))).code).to.equal('key-invalid');
  });

  it('verifies an archive with the key that it trusted before, and says what is wrong with another', async () => {
    const statement = { publisher: 'acme', name: 'hello', version: '1.0.0', digest: '' };
    const tar = await writeTar({ 'gatehouse.json': JSON.stringify(statement), 'bundle.js': '' });
    const signed = { ...statement, digest: sha256Hex(tar) };
    const publisher = fakeLog(0);
    const { keyId, publicKeyPem } = await publisher.transparency();
    const at = new Date().toISOString();
    log.entries.push(JSON.stringify({ at, event: 'key.register', keyId, publisher: 'acme', v: 1 }));
    log.entries.push(JSON.stringify({ at, event: 'release.approve', release: statementDigest(signed), v: 1 }));
    const proof: ReleaseProof = {
      version: 1,
      envelope: signRelease(signed, log.signingKey, signRelease(signed, publisher.signingKey)),
      publisherKey: { publicKeyPem, proof: log.proof(7) },
      approval: log.proof(8),
      head: log.head(),
    };
    await writeFile(join(root, 'hello.gpk'), gzipTar(tar));
    await writeFile(join(root, 'hello.gpk.proof.json'), JSON.stringify(proof));
    const untrusting = await gate(['verify', 'hello.gpk']);
    expect(untrusting.err).to.contain('registry-key-unknown');
    await gate(['audit-log', 'verify']);
    // The key of the profile that is asked for, not of the current one.
    const profiles = { prod: { url: 'https://prod.example', token: 'x' }, staging: { url, token: 'x' } };
    await writeFile(join(root, '.config/gatehouse/credentials.json'), JSON.stringify({ current: 'prod', profiles }));
    const ofStaging = await gate(['--profile', 'staging', 'verify', 'hello.gpk'], () => {}, { GATEHOUSE_URL: '' });
    expect(ofStaging.exitCode, ofStaging.err).to.equal(0);
    const verified = await gate(['verify', 'hello.gpk', '--json']);
    expect(verified.exitCode, verified.out + verified.err).to.equal(0);
    expect(JSON.parse(verified.out).steps).to.have.length(7);
    await writeFile(join(root, 'hello.gpk'), gzipTar(await writeTar({ 'gatehouse.json': JSON.stringify(statement) })));
    const changed = await gate(['verify', 'hello.gpk']);
    expect(changed.exitCode).to.equal(1);
    expect(changed.out).to.contain('✖ statement').and.contain('do not install it');
    await writeFile(join(root, 'other.pem'), (await fakeLog(0).transparency()).publicKeyPem);
    const foreign = await gate(['verify', 'hello.gpk', '--registry-key', 'other.pem']);
    expect(foreign.out).to.contain('✖ countersignature').and.contain('✖ head');
  });
});
