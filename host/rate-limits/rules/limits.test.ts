import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { RATE_LIMITS, readRateLimits } from './limits.ts';

describe('readRateLimits', () => {
  it('gives the defaults, and changes what a setting names', () => {
    expect(readRateLimits('')).to.deep.equal(RATE_LIMITS);
    expect(readRateLimits(' login-address=3/60 , api-token=off,')).to.deep.equal({
      ...RATE_LIMITS,
      'login-address': { count: 3, seconds: 60 },
      'api-token': null,
    });
  });

  it('names the entry that is wrong', () => {
    for (const entry of ['login-address', 'login-address=3', 'login-address=3/x', 'login-address=-1/60', '=1/1']) {
      expect(() => readRateLimits(entry), entry).to.throw(`"${entry}" is not <limit>=<count>/<seconds>`);
    }
    expect(() => readRateLimits('logins=3/60')).to.throw('"logins" is no limit; there are run-address, ');
    expect(() => readRateLimits('constructor=3/60')).to.throw('"constructor" is no limit');
    expect(() => readRateLimits('api-token=0/60')).to.throw('needs a count and seconds above 0');
    expect(() => readRateLimits('api-token=5/0')).to.throw('needs a count and seconds above 0');
  });

  it('refuses a time that a host cannot count to the end of', () => {
    expect(readRateLimits('mail-account=5/2147483')['mail-account']).to.deep.equal({ count: 5, seconds: 2_147_483 });
    expect(() => readRateLimits('mail-account=5/2592000')).to.throw('"mail-account=5/2592000" is longer than 2147483');
  });
});

describe('RATE_LIMITS', () => {
  it('has no limit that nothing is held to', () => {
    const root = path.join(import.meta.dirname, '..', '..', '..');
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'host'], {
      cwd: root,
    });
    const code = String(listed)
      .split('\n')
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.endsWith('rules/limits.ts'))
      .map((file) => path.join(root, file))
      .filter((file) => existsSync(file))
      .map((file) => readFileSync(file, 'utf8'));
    const idle = Object.keys(RATE_LIMITS).filter((name) => !code.some((text) => text.includes(`'${name}'`)));
    expect(idle).to.deep.equal([]);
  });
});
