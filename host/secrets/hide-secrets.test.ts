import { expect } from 'chai';
import { hideSecrets } from './rules/hide-secrets.ts';
import { createShownSecrets } from './shown-secrets.ts';

const KEY = 'key/+with "odd" letters ä?';
const names = new Map([[KEY, 'API_KEY']]);
const hidden = (text: string) => hideSecrets(Buffer.from(text), names).toString();

describe('hideSecrets', () => {
  it('finds a value as it is, in JSON, in a URL and as base64', () => {
    expect(hidden(`a ${KEY} b ${KEY}`)).to.equal('a [secret API_KEY] b [secret API_KEY]');
    expect(hidden(JSON.stringify({ seen: KEY }))).to.equal('{"seen":"[secret API_KEY]"}');
    expect(hidden(`?key=${encodeURIComponent(KEY)}&x=1`)).to.equal('?key=[secret API_KEY]&x=1');
    const bytes = Buffer.from(KEY);
    expect(hidden(`Basic ${bytes.toString('base64')}`)).to.equal('Basic [secret API_KEY]');
    expect(hidden(`Basic ${bytes.toString('base64url')}.`)).to.equal('Basic [secret API_KEY].');
  });

  it('leaves everything else alone, bytes that are no text among it', () => {
    const bytes = Buffer.from([0xff, 0, 0xfe]);
    expect(hideSecrets(bytes, names)).to.equal(bytes);
    const around = hideSecrets(Buffer.concat([bytes, Buffer.from(KEY), bytes]), names);
    expect(around.equals(Buffer.concat([bytes, Buffer.from('[secret API_KEY]'), bytes]))).to.equal(true);
    expect(hideSecrets(Buffer.from('a short one'), new Map([['short', 'PIN']])).toString()).to.equal('a short one');
  });
});

describe('createShownSecrets', () => {
  it('hides what an installation was shown in its own lines, also after the value was replaced', () => {
    const shown = createShownSecrets();
    const line = { message: 'uses first-value and second-value', facts: { deep: ['first-value'] } };
    expect(shown.hide('a', line)).to.equal(line);
    shown.shown('a', 'API_KEY', 'first-value');
    shown.shown('a', 'API_KEY', 'second-value');
    expect(shown.hide('a', line)).to.deep.equal({
      message: 'uses [secret API_KEY] and [secret API_KEY]',
      facts: { deep: ['[secret API_KEY]'] },
    });
    expect(shown.hide('b', line)).to.equal(line);
    expect(shown.values('a')).to.deep.equal(['first-value', 'second-value']);
    expect(shown.values('b')).to.deep.equal([]);
  });

  it('hides values that are numbers, in names and in whatever surrounds them, and never fails', () => {
    const shown = createShownSecrets();
    shown.shown('a', 'PIN', '1234567890');
    shown.shown('a', 'ODD', '","level":"');
    const facts = { id: 1234567890, '1234567890': { deep: [1234567890, 7, null, true] }, next: '', level: '' };
    expect(shown.hide('a', { message: 'x', facts }).facts).to.deep.equal({
      id: '[secret PIN]',
      '[secret PIN]': { deep: ['[secret PIN]', 7, null, true] },
      next: '',
      level: '',
    });
  });
});
