import { expect } from 'chai';
import { readSettings } from './settings.ts';

describe('readSettings', () => {
  it('keeps everything below ~/.config/gatehouse', () => {
    expect(readSettings({ HOME: '/home/ada' }, '/work')).to.deep.equal({
      configFolder: '/home/ada/.config/gatehouse',
      cwd: '/work',
      url: null,
      token: null,
    });
  });
  it('follows XDG_CONFIG_HOME and, before it, GATEHOUSE_CONFIG', () => {
    expect(readSettings({ HOME: '/h', XDG_CONFIG_HOME: '/x' }, '/w').configFolder).to.equal('/x/gatehouse');
    expect(readSettings({ XDG_CONFIG_HOME: '/x', GATEHOUSE_CONFIG: 'here' }, '/w').configFolder).to.equal('/w/here');
  });
  it('takes an empty variable as unset', () => {
    expect(readSettings({ HOME: '/h', GATEHOUSE_URL: '', GATEHOUSE_TOKEN: '' }, '/w')).to.include({
      url: null,
      token: null,
    });
  });
  it('works where somebody typed `npm run gate`, and not where npm runs it', () => {
    const env = { HOME: '/h', INIT_CWD: '/plugin' };
    expect(readSettings({ ...env, npm_lifecycle_event: 'gate' }, '/gatehouse').cwd).to.equal('/plugin');
    expect(readSettings({ ...env, npm_lifecycle_event: 'test' }, '/plugin').cwd).to.equal('/plugin');
  });
});
