import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'chai';
import { ConfigInvalid, readConfig } from './config.ts';

describe('readConfig', () => {
  it('has a default for everything', () => {
    const config = readConfig({}, {});
    expect(config).to.include({ databaseUrl: null, hostName: '127.0.0.1', port: 8080, cordons: 2, logLevel: 'info' });
    expect(config).to.include({ requestsMax: 2_000, shedDelayMs: 250 });
    expect(config.strikes).to.deep.equal({ solitaryAt: 3, suspendAt: 6, halfLifeMs: 3_600_000 });
    expect(config.trustedProxies).to.deep.equal([]);
  });

  it('reports all faults at once, by the name of the variable', () => {
    const wrong = {
      DATABASE_URL: 'mysql://x',
      GATEHOUSE_PORT: '99999',
      GATEHOUSE_CORDONS: 'two',
      GATEHOUSE_LOG_LEVEL: 'loud',
    };
    expect(() => readConfig({}, wrong))
      .to.throw(ConfigInvalid)
      .with.property('message')
      .that.matches(/DATABASE_URL/)
      .and.matches(/GATEHOUSE_PORT/)
      .and.matches(/GATEHOUSE_CORDONS/)
      .and.matches(/GATEHOUSE_LOG_LEVEL/);
  });

  it('says which words a setting takes', () => {
    const wrong = { GATEHOUSE_CONFINEMENT: 'on', GATEHOUSE_LOG_LEVEL: 'loud' };
    expect(() => readConfig({}, wrong))
      .to.throw(ConfigInvalid, 'GATEHOUSE_CONFINEMENT must be one of: auto, required, off')
      .with.property('message')
      .that.contains('GATEHOUSE_LOG_LEVEL must be one of: silent, error, warn, info, debug');
  });

  it('reports faults of every kind with the others', () => {
    const wrong = {
      GATEHOUSE_PORT: '99999',
      GATEHOUSE_TRUSTED_PROXIES: '10.0.0.1, 10.0.0.0/33',
      GATEHOUSE_EGRESS_ALLOW: '10.0.0.0/99',
      GATEHOUSE_RATE_LIMITS: 'login-address=many',
      GATEHOUSE_STRIKES_SUSPEND: '1',
    };
    for (const name of Object.keys(wrong)) expect(() => readConfig({}, wrong)).to.throw(ConfigInvalid, `  ${name} `);
  });

  it('takes a public address that is an origin, as browsers write it', () => {
    const publicUrl = (GATEHOUSE_PUBLIC_URL: string) => readConfig({}, { GATEHOUSE_PUBLIC_URL }).publicUrl;
    expect(publicUrl('https://Gate.Example:443')).to.equal('https://gate.example');
    expect(publicUrl('http://[::1]:8080')).to.equal('http://[::1]:8080');
    for (const more of [
      'https://ada:pw@gate.example',
      'https://gate.example?x',
      'https://gate.example#x',
      'https://:1',
    ]) {
      expect(() => publicUrl(more), more).to.throw(ConfigInvalid, 'GATEHOUSE_PUBLIC_URL must be an origin');
    }
  });

  it('refuses a server of mail that no mail could be sent by', () => {
    const smtpUrl = (GATEHOUSE_SMTP_URL: string) => readConfig({}, { GATEHOUSE_SMTP_URL }).mail.smtpUrl;
    expect(smtpUrl('smtps://ada:p%40ss@mail.example')).to.equal('smtps://ada:p%40ss@mail.example');
    for (const wrong of ['smtps://', 'smtps://ada:100%hunter2@mail.example', 'smtps://ada:hunter2#@mail.example']) {
      expect(() => smtpUrl(wrong), wrong)
        .to.throw(ConfigInvalid, 'GATEHOUSE_SMTP_URL must be')
        .and.not.match(/hunter2/);
    }
  });

  it('suspends nobody before it would have run alone', () => {
    const strikes = (solitary: string, suspend: string) => () =>
      readConfig({}, { GATEHOUSE_STRIKES_SOLITARY: solitary, GATEHOUSE_STRIKES_SUSPEND: suspend });
    expect(strikes('4', '3')).to.throw(ConfigInvalid, 'GATEHOUSE_STRIKES_SUSPEND must be >=');
    expect(strikes('4', '4')().strikes).to.include({ solitaryAt: 4, suspendAt: 4 });
  });

  it('shows nobody a mailbox whose mail goes to real people', () => {
    const both = { GATEHOUSE_DEV_MAILBOX: 'true', GATEHOUSE_SMTP_URL: 'smtps://ada:hunter2@mail.example' };
    expect(() => readConfig({}, both))
      .to.throw(ConfigInvalid, /GATEHOUSE_DEV_MAILBOX/)
      .and.not.match(/hunter2/);
    expect(readConfig({}, { ...both, GATEHOUSE_DEV_MAILBOX: 'false' }).mail.devMailbox).to.equal(false);
  });

  it('profiles no sandbox process in production', () => {
    const settings = { GATEHOUSE_PROFILE_CORDONS: '/tmp/profiles' };
    expect(readConfig({}, {}).profileCordons).to.equal(null);
    expect(readConfig({}, settings).profileCordons).to.equal('/tmp/profiles');
    expect(() => readConfig({}, { ...settings, NODE_ENV: 'production' })).to.throw(
      ConfigInvalid,
      /GATEHOUSE_PROFILE_CORDONS opens sandbox processes/,
    );
  });

  it('never repeats a value, which may hold a password', () => {
    expect(() => readConfig({}, { DATABASE_URL: 'postgres//role:hunter2@host/x' })).to.throw(
      ConfigInvalid,
      /^(?!.*hunter2)/s,
    );
  });

  it('warns of a name that is no setting, with the one that is meant, and of nothing else', async () => {
    const { warnings } = readConfig(
      {},
      {
        GATEHOUSE_CORDON: '4',
        GATEHOUSE_PASWORD_PEPER: 'hunter2',
        GATEHOUSE_X: '1',
        GATEHOUSE_SERVICE_HOST: '10.0.0.1',
      },
    );
    expect(warnings).to.deep.equal([
      'GATEHOUSE_CORDON is no setting and changes nothing; is GATEHOUSE_CORDONS meant?',
      'GATEHOUSE_PASWORD_PEPER is no setting and changes nothing; is GATEHOUSE_PASSWORD_PEPPER meant?',
      'GATEHOUSE_X is no setting and changes nothing.',
    ]);
    expect(readConfig({}, { GATEHOUSE_CORDONS: '4', GATEHOUSE_PUBLIC_URL: '', HOME: '/root' }).warnings).to.deep.equal(
      [],
    );
  });

  it('knows the settings of gate, which may be set beside its own', async () => {
    const settings = await readFile(path.join(import.meta.dirname, '../plugins-sdk/cli/settings.ts'), 'utf8');
    const names = settings.match(/GATEHOUSE_[A-Z_]+/g)!;
    expect(names).to.include('GATEHOUSE_TOKEN');
    expect(readConfig({}, Object.fromEntries(names.map((name) => [name, 'x']))).warnings).to.deep.equal([]);
  });

  it('counts an empty variable as unset', () => {
    expect(readConfig({}, { GATEHOUSE_PORT: '' }).port).to.equal(8080);
  });

  it('lets flags win over the environment and the environment over defaults', () => {
    const defaults = { GATEHOUSE_PORT: '1', GATEHOUSE_CORDONS: '3', GATEHOUSE_HOST: '::1' };
    const config = readConfig(
      { flags: { GATEHOUSE_PORT: '5' }, defaults },
      { GATEHOUSE_PORT: '4', GATEHOUSE_CORDONS: '7' },
    );
    expect(config).to.include({ port: 5, cordons: 7, hostName: '::1' });
  });

  it('splits the trusted proxies', () => {
    expect(readConfig({}, { GATEHOUSE_TRUSTED_PROXIES: '10.0.0.1, fd00::/8' }).trustedProxies).to.deep.equal([
      '10.0.0.1',
      'fd00::/8',
    ]);
  });

  it('opens ranges that are ranges, and says which is none', () => {
    const { egress } = readConfig(
      {},
      { GATEHOUSE_EGRESS_ALLOW: '10.1.0.0/16, fd00::/8', GATEHOUSE_EGRESS_HTTP: 'true' },
    );
    expect(egress).to.deep.equal({ allow: ['10.1.0.0/16', 'fd00::/8'], http: true });
    expect(readConfig({}, {}).egress).to.deep.equal({ allow: [], http: false });
    for (const range of ['10.0.0.0/33', '10.0.0', ':::']) {
      expect(() => readConfig({}, { GATEHOUSE_EGRESS_ALLOW: range }), range).to.throw(
        ConfigInvalid,
        'GATEHOUSE_EGRESS_ALLOW',
      );
    }
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(readConfig({}, {}))).to.equal(true);
  });
});
