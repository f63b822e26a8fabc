import { expect } from 'chai';
import { CliError } from './errors.ts';
import { parsePluginName } from './plugin-name.ts';

describe('parsePluginName', () => {
  it('reads publisher and name', () => {
    expect(parsePluginName('acme-labs/hello-http')).to.deep.equal({ plugin: 'acme-labs/hello-http' });
  });
  it('reads a version behind an @', () => {
    expect(parsePluginName('acme-labs/hello-http@1.0.0-rc.1')).to.deep.equal({
      plugin: 'acme-labs/hello-http',
      version: '1.0.0-rc.1',
    });
  });
  for (const bad of ['hello', 'a/b/c', '/x', 'acme-labs/', 'Acme/hello', '../etc/passwd', 'acme-labs/hello@']) {
    it(`refuses ${bad}`, () => {
      expect(() => parsePluginName(bad))
        .to.throw(CliError)
        .with.property('code', 'usage');
    });
  }
});
