import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { createCli } from './command-line.ts';
import { FAKE_TOKEN, type FakeControlPlane, startFakeControlPlane } from './fake-control-plane.ts';
import { COMMANDS } from './index.ts';

const GATE = resolve(import.meta.dirname, '../../bin/gate.ts');

interface Ended {
  exitCode: number | null;
  out: string;
  err: string;
}

describe('gate', () => {
  let root: string;
  let host: FakeControlPlane;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'gate-'));
    host = await startFakeControlPlane();
  });
  after(async () => {
    await host.close();
    await rm(root, { recursive: true, force: true });
  });

  /** Runs the real program with nothing of this machine's settings. */
  const gate = (
    args: string[],
    {
      input = '',
      env = {},
      onOut = () => {},
    }: { input?: string; env?: object; onOut?: (child: ChildProcess, out: string) => void } = {},
  ) =>
    new Promise<Ended>((done, fail) => {
      const child = spawn(process.execPath, [GATE, ...args], {
        cwd: root,
        env: { PATH: process.env.PATH, HOME: root, GATEHOUSE_URL: host.url, GATEHOUSE_TOKEN: FAKE_TOKEN, ...env },
      });
      let [out, err] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text) => {
        out += text;
        onOut(child, out);
      });
      child.stderr.setEncoding('utf8').on('data', (text) => {
        err += text;
      });
      child.once('error', fail);
      child.once('close', (exitCode) => done({ exitCode, out, err }));
      child.stdin.end(input);
    });

  it('leads an author and an operator from nothing to a called plugin', async () => {
    const steps: [string[], RegExp][] = [
      [['login', '--url', host.url], /Logged in at .*\n.*acme-labs/],
      [['whoami'], /acme-labs/],
      [['init', 'hello', '--publisher', 'acme-labs'], /Made acme-labs\/hello/],
      [['pack', 'hello'], /acme-labs-hello-0\.1\.0\.gpk/],
      [['keygen', '--register'], /Made a signing key[\s\S]*registered at/],
      [['publish', 'hello'], /acme-labs\/hello@0\.1\.0 is in-review/],
      [['releases', '--state', 'in-review'], /acme-labs\/hello +0\.1\.0 +in-review/],
      [['review', 'approve', 'acme-labs/hello@0.1.0'], /is published/],
      [
        ['install', 'acme-labs/hello', '--as', 'greeter', '--grant-all', '--yes'],
        /Installed acme-labs\/hello@0\.1\.0 as "greeter"[\s\S]*kv, config/,
      ],
      [['installations'], /greeter +acme-labs\/hello +0\.1\.0 +yes +good +kv, config/],
      [
        ['call', 'greeter', 'get', '/greetings/Ada'],
        /^200 {2}invocation i-1\n\{"method":"GET","url":"\/run\/acme-labs\/greeter\/greetings\/Ada"/,
      ],
      [['logs', 'greeter'], /nothing in the log/],
    ];
    for (const [args, expected] of steps) {
      const { exitCode, out, err } = await gate(args);
      expect(exitCode, `${args.join(' ')}\n${out}${err}`).to.equal(0);
      expect(out).to.match(expected);
    }
    expect((await stat(join(root, '.config/gatehouse/keys/default.pem'))).mode & 0o777).to.equal(0o600);
  });

  it('shows what is asked for before it grants everything', async () => {
    const { err } = await gate(['install', 'acme-labs/hello', '--as', 'second', '--grant-all', '--yes']);
    expect(err).to.contain('acme-labs/hello asks for').and.to.contain('“Counts how often each name was greeted.”');
  });

  it('grants nothing without a yes', async () => {
    const before = host.installations.length;
    const { exitCode, err } = await gate(['install', 'acme-labs/hello', '--as', 'third', '--grant-all']);
    expect(exitCode).to.equal(1);
    expect(err).to.contain('--yes');
    expect(host.installations).to.have.length(before);
  });

  for (const [args, shape] of [
    [['whoami'], ['credentialId', 'expiresAt', 'label', 'organisation', 'permissions', 'role', 'url']],
    [
      ['pack', 'hello'],
      ['archiveBytes', 'bundleDigest', 'digest', 'files', 'parts', 'path', 'plugin', 'version', 'warnings'],
    ],
    [
      ['publish', 'hello', '--dry-run'],
      [
        'archiveBytes',
        'bundleDigest',
        'digest',
        'envelope',
        'files',
        'findings',
        'parts',
        'plugin',
        'provenance',
        'published',
        'version',
        'warnings',
      ],
    ],
    [['releases'], ['items']],
    [['installations'], ['items']],
    [
      ['call', 'acme-labs/greeter', 'GET', '/'],
      ['body', 'bodyEncoding', 'headers', 'invocationId', 'status'],
    ],
    [['logs', 'greeter'], ['items']],
    [
      ['keygen', '--out', 'other.pem'],
      ['created', 'keyId', 'path', 'publicKeyPem', 'registered'],
    ],
  ] as [string[], string[]][]) {
    it(`prints one JSON document for ${args[0]} --json, and nothing else`, async () => {
      const { exitCode, out, err } = await gate([...args, '--json']);
      expect(exitCode, err).to.equal(0);
      expect(err).to.equal('');
      expect(Object.keys(JSON.parse(out)).sort()).to.deep.equal(shape);
    });
  }

  it('answers a wrong command line with exit code 2 and the fix', async () => {
    for (const [args, part] of [
      [['nope'], "unknown command 'nope'"],
      [['call', 'x'], "missing required argument 'method'"],
      [['call', 'x', 'FETCH', '/'], '"FETCH" is no method'],
      [['install', 'acme-labs/hello'], "required option '--as <slug>'"],
      [['install', 'hello', '--as', 'x', '--grant', 'kv'], 'names no plugin'],
      [['install', 'acme-labs/hello', '--as', 'x', '--grant', 'root'], 'There is no capability "root"'],
      [['logs', 'greeter', '--limit', '0'], '--limit must be'],
      [['init', 'x2'], '--publisher'],
      [['init', 'x3', '--publisher', 'acme-labs', '--template', 'cobol'], 'http, fulfilment'],
      [['dev', '--port', '70000'], '--port must be'],
      [['whoami', '--profile', 'nowhere'], 'gate login --profile nowhere'],
      [['login', '--url', host.url, '--profile', 'My Host'], '--profile "My Host" must be'],
    ] as [string[], string][]) {
      const { exitCode, out, err } = await gate(args);
      expect(exitCode, args.join(' ')).to.equal(2);
      expect(err).to.contain(part);
      expect(out).to.equal('');
    }
  });

  it('answers a refusal with exit code 1, a sentence, its code and the request', async () => {
    const { exitCode, err } = await gate(['whoami'], { env: { GATEHOUSE_TOKEN: 'wrong' } });
    expect(exitCode).to.equal(1);
    expect(err).to.equal('✖ The API token is unknown. (token-invalid)\n  request r-1, status 401\n');
  });

  it('never shows a token that no header can carry', async () => {
    for (const text of ['gh_hidden\ngh_second', 'gh_hidden\u2026']) {
      const { exitCode, out, err } = await gate(['whoami', '--debug'], { env: { GATEHOUSE_TOKEN: text } });
      expect(exitCode).to.equal(2);
      expect(err).to.include('GATEHOUSE_TOKEN has characters that no token has. (usage)');
      expect(out + err).not.to.include('gh_');
    }
    expect((await gate(['whoami'], { env: { GATEHOUSE_TOKEN: `${FAKE_TOKEN}\r\n` } })).exitCode).to.equal(0);
  });

  it('puts an error into one JSON document on stderr with --json', async () => {
    const refused = await gate(['whoami', '--json'], { env: { GATEHOUSE_TOKEN: 'wrong' } });
    expect(refused.out).to.equal('');
    expect(JSON.parse(refused.err)).to.deep.equal({
      error: { code: 'token-invalid', message: 'The API token is unknown.', status: 401, requestId: 'r-1' },
    });
    const wrong = await gate(['call', '--json']);
    expect(wrong.exitCode).to.equal(2);
    expect(JSON.parse(wrong.err).error.code).to.equal('usage');
  });

  it('asks whether the host is running, and shows no stack unless asked to', async () => {
    const gone = await startFakeControlPlane();
    await gone.close();
    const { exitCode, err } = await gate(['whoami'], { env: { GATEHOUSE_URL: gone.url } });
    expect(exitCode).to.equal(1);
    expect(err).to.contain(`✖ Nothing answers at ${gone.url}. Is the host running? Start it with: npm start`);
    expect(err).not.to.match(/^\s+at /m);
    const debug = await gate(['whoami', '--debug'], { env: { GATEHOUSE_URL: gone.url } });
    expect(debug.err).to.match(/^\s+at /m);
  });

  it('says how to log in when there is no token', async () => {
    const { exitCode, err } = await gate(['whoami'], { env: { GATEHOUSE_TOKEN: '', HOME: join(root, 'nobody') } });
    expect(exitCode).to.equal(1);
    expect(err).to.contain(`gate login --url ${host.url}`);
  });

  it('logs a profile in and out by its own token, whatever the environment holds', async () => {
    const env = { GATEHOUSE_URL: '', HOME: join(root, 'own-token') };
    const login = await gate(['login', '--url', host.url, '--profile', 'own', '--token'], { env, input: 'gh_other\n' });
    expect(login.err).to.include('token-invalid');
    await gate(['login', '--url', host.url, '--device'], { env });
    expect(host.asked.at(-1)).to.deep.include({ url: '/v1/device-codes', authorization: undefined });
    const none = await gate(['logout'], { env });
    expect(none.err).to.include('token-absent');
    const settings = join(root, 'own-token/.config/gatehouse');
    await mkdir(settings, { recursive: true });
    const staging = { url: host.url, token: 'gh_ended' };
    const file = join(settings, 'credentials.json');
    await writeFile(file, JSON.stringify({ current: 'staging', profiles: { staging } }));
    const logout = await gate(['logout', '--json'], { env });
    expect(JSON.parse(logout.out)).to.deep.equal({ profile: 'staging', revoked: false });
    expect(JSON.parse(await readFile(file, 'utf8')).profiles).to.deep.equal({});
  });

  it('takes the token of a login from standard input', async () => {
    const env = { GATEHOUSE_TOKEN: '', GATEHOUSE_URL: '', HOME: join(root, 'piped') };
    const { exitCode, err } = await gate(['login', '--url', host.url, '--profile', 'piped'], {
      env,
      input: `${FAKE_TOKEN}\n`,
    });
    expect(exitCode, err).to.equal(0);
    expect((await gate(['whoami', '--json'], { env })).exitCode).to.equal(0);
  });

  it('ends with exit code 1 when a called plugin answers with an error, and still shows it', async () => {
    const { exitCode, out } = await gate([
      'call',
      'acme-labs/greeter',
      'POST',
      '/teapot',
      '--body',
      '{"a":1}',
      '--include',
    ]);
    expect(exitCode).to.equal(1);
    expect(out)
      .to.match(/^418 /)
      .and.to.contain('content-type: application/json')
      .and.to.contain(String.raw`{\"a\":1}`);
  });

  it("shows the host's own refusal of a call as a sentence", async () => {
    const { exitCode, out } = await gate(['call', 'acme-labs/greeter', 'GET', '/refused']);
    expect(exitCode).to.equal(1);
    expect(out).to.equal('404\n✖ No such route. (plugin-route-unknown)\n  request r-2, status 404\n');
  });

  it('shows the reasons of a rejection to its publisher', async () => {
    const reasons = ['--reason', 'misleading-listing: no README', '--reason', 'other: too loud'];
    await gate(['review', 'reject', 'acme-labs/hello@0.1.0', ...reasons]);
    const { out } = await gate(['releases']);
    expect(out).to.contain('✖ acme-labs/hello@0.1.0: no README\n✖ acme-labs/hello@0.1.0: too loud\n');
  });

  it('sends a file as it is', async () => {
    await writeFile(join(root, 'body.json'), '{"x": 1}');
    const { out } = await gate(['call', 'a-b/c-d', 'PUT', '/f', '--data', '@body.json', '--json']);
    expect(JSON.parse(out).body).to.include({ type: 'application/json', body: '{"x": 1}' });
  });

  it('follows a log until it is interrupted', async () => {
    const write = (message: string) =>
      host.logs.push({
        id: message,
        at: '2026-11-21T12:00:00.000Z',
        invocationId: 'i',
        source: 'log',
        level: 'warn',
        message,
        facts: { n: 1 },
      });
    write('first');
    let told = false;
    const { exitCode, out } = await gate(['logs', 'greeter', '--follow', '--json'], {
      onOut: (child, text) => {
        if (!told) write('second');
        told = true;
        if (text.includes('second')) child.kill('SIGINT');
      },
    });
    expect(exitCode).to.equal(0);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).message),
    ).to.deep.equal(['first', 'second']);
  });

  it('shows a log without what could play tricks on a terminal', async () => {
    host.logs.push({
      id: 'x',
      at: '2026-11-21T12:00:00.000Z',
      invocationId: 'i',
      source: 'console',
      level: 'error',
      message: '\u001b[2Jgone\nforged',
      facts: {},
    });
    const { out } = await gate(['logs', 'greeter', '--limit', '1']);
    expect(out).to.equal('12:00:00.000 error console gone forged\n');
  });

  it('has help with examples for every verb', async () => {
    const { out } = await gate(['--help']);
    const verbs = [...out.slice(out.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+)/gm)]
      .map(([, verb]) => verb!)
      .filter((verb) => verb !== 'help');
    expect(verbs).to.include.members([
      'login',
      'bundle',
      'whoami',
      'init',
      'dev',
      'validate',
      'pack',
      'keygen',
      'publish',
      'install',
      'call',
      'logs',
    ]);
    // In this process: one for each verb at once is more than some machines can take.
    let printed = '';
    const write = (text: string) => {
      printed += text;
    };
    const cli = createCli({ configFolder: root, cwd: root, url: null, token: null }, {
      out: { write },
      err: { write },
      in: {},
    } as never);
    for (const addCommand of COMMANDS) addCommand(cli);
    expect(cli.program.commands.map((command) => command.name())).to.have.members(verbs);
    for (const command of cli.program.commands) {
      printed = '';
      command.outputHelp();
      expect(printed, command.name()).to.contain(`$ gate ${command.name()}`);
    }
  });

  it('does not fail when its reader goes away', async () => {
    const { exitCode } = await gate(['--help'], { onOut: (child) => child.stdout?.destroy() });
    expect(exitCode).to.equal(0);
  });
});
