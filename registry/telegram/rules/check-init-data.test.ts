import { expect } from 'chai';
import { assert, property, string } from 'fast-check';
import { BOT_ID, BOT_TOKEN, initDataOf, telegramKeys } from '../test-init-data.ts';
import { checkInitData, type InitDataProof } from './check-init-data.ts';
import { TELEGRAM_PUBLIC_KEYS } from './telegram-keys.ts';

const NOW_MS = Date.parse('2030-01-01T00:00:00Z');
const bounds = { ageMsMax: 300_000, skewMsMax: 30_000 };
const hmac: InitDataProof = { form: 'hmac-sha256', botToken: BOT_TOKEN };
const keys = telegramKeys();
const ed25519: InitDataProof = { form: 'ed25519', botId: BOT_ID, publicKeyHex: keys.publicKeyHex };
const check = (text: string, proof: InitDataProof = hmac, nowMs = NOW_MS) =>
  checkInitData(text, { proof, bounds, nowMs });
const faultOf = (...args: Parameters<typeof check>) => {
  const verdict = check(...args);
  return verdict.valid ? 'valid' : verdict.fault;
};
const fresh = initDataOf({ id: 279058397, atMs: NOW_MS - 10_000 }, { key: keys.privateKey });
const changed = (text: string, change: (fields: URLSearchParams) => void): string => {
  const fields = new URLSearchParams(text);
  change(fields);
  return fields.toString();
};

describe('checkInitData', () => {
  it('knows what Telegram itself signed, in both forms', () => {
    // Published with its bot's token at https://docs.telegram-mini-apps.com/platform/init-data and in the tests of
    // @telegram-apps/init-data-node: the one vector at hand that Telegram's own key signed.
    const text =
      'user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C%22last_name%22%3A%22' +
      'Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%2C%22' +
      'allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5C%2F' +
      '4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D&chat_instance=8134722200314281151&chat_type=private' +
      '&auth_date=1733584787&signature=zL-ucjNyREiHDE8aihFwpfR9aggP2xiAo3NSpfe-p7IbCisNlDKlo7Kb6G4D0Ao2mBrSgEk4maLSdv6MLIlADQ' +
      '&hash=2174df5b000556d044f3f020384e879c8efcab55ddea2ced4eb752e93e7080d6';
    const nowMs = 1_733_584_787_000 + 60_000;
    const proofs: InitDataProof[] = [
      { form: 'hmac-sha256', botToken: ['7342037359', 'AAFZehRPBRs8Seg40oDjTMIW8uTGPuW1zfQ'].join(':') },
      { form: 'ed25519', botId: '7342037359', publicKeyHex: TELEGRAM_PUBLIC_KEYS.production },
    ];
    for (const proof of proofs) expect(check(text, proof, nowMs)).to.include({ valid: true, telegramId: '279058397' });
    const test: InitDataProof = { form: 'ed25519', botId: '7342037359', publicKeyHex: TELEGRAM_PUBLIC_KEYS.test };
    expect(faultOf(text, test, nowMs)).to.equal('forged');
  });

  for (const [name, proof] of [
    ['hash', hmac],
    ['signature', ed25519],
  ] as const) {
    describe(`by ${name}`, () => {
      it('says who it is, and until when it may be used', () => {
        expect(check(fresh, proof)).to.include({
          valid: true,
          telegramId: '279058397',
          staleAtMs: NOW_MS - 10_000 + bounds.ageMsMax,
        });
      });

      it('refuses any field that was changed, added or taken away', () => {
        const forgeries = [
          changed(fresh, (fields) => fields.set('user', JSON.stringify({ id: 1 }))),
          changed(fresh, (fields) => fields.set('auth_date', String(NOW_MS / 1_000))),
          changed(fresh, (fields) => fields.delete('query_id')),
          changed(fresh, (fields) => fields.append('start_param', 'admin')),
          changed(fresh, (fields) => fields.delete(name)),
          changed(fresh, (fields) => fields.set(name, '')),
          changed(fresh, (fields) => fields.set(name, fields.get(name)!.slice(0, -2))),
          changed(fresh, (fields) =>
            fields.set(
              name,
              fields.get(name)!.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
            ),
          ),
        ];
        for (const forgery of forgeries) expect(faultOf(forgery, proof), forgery).to.equal('forged');
      });

      it('refuses what was signed for another bot, and by somebody else', () => {
        const otherBot = initDataOf({ id: 7, atMs: NOW_MS }, { botToken: '1:other', key: keys.privateKey });
        expect(faultOf(otherBot, proof)).to.equal('forged');
        const otherKey = initDataOf(
          { id: 7, atMs: NOW_MS },
          { botToken: `${BOT_ID}:other`, key: telegramKeys().privateKey },
        );
        expect(faultOf(otherKey, proof)).to.equal('forged');
      });

      it('refuses what is as old as the bound, and what comes from further in the future than clocks differ', () => {
        const at = (atMs: number) => faultOf(initDataOf({ id: 7, atMs }, { key: keys.privateKey }), proof);
        expect(at(NOW_MS - bounds.ageMsMax + 1_000)).to.equal('valid');
        expect(at(NOW_MS - bounds.ageMsMax)).to.equal('stale');
        expect(at(NOW_MS + bounds.skewMsMax)).to.equal('valid');
        expect(at(NOW_MS + bounds.skewMsMax + 1_000)).to.equal('from-the-future');
      });

      it('refuses a field that is given twice, although the first or the last one was signed', () => {
        for (const field of ['user', 'auth_date', 'hash', 'signature']) {
          const value = new URLSearchParams(fresh).get(field)!;
          expect(faultOf(`${fresh}&${field}=${encodeURIComponent(value)}`, proof), field).to.equal('malformed');
          expect(faultOf(`${field}=x&${fresh}`, proof), field).to.equal('malformed');
        }
      });
    });
  }

  it('covers the signature by the hash, as Telegram does', () => {
    const other = initDataOf({ id: 7, atMs: NOW_MS }, { key: keys.privateKey });
    const swapped = changed(fresh, (fields) => fields.set('signature', new URLSearchParams(other).get('signature')!));
    expect(faultOf(swapped)).to.equal('forged');
  });

  it('cuts names and values where they were cut when they were signed', () => {
    const fields = new URLSearchParams(fresh);
    const [date, query] = [fields.get('auth_date')!, fields.get('query_id')!];
    const rest = changed(fresh, (each) => {
      each.delete('auth_date');
      each.delete('query_id');
    });
    // The same lines as were signed, with one field instead of two.
    expect(faultOf(`${rest}&auth_date=${date}%0Aquery_id%3D${query}`)).to.equal('malformed');
    expect(faultOf(changed(fresh, (each) => each.append('user=x', '1')))).to.equal('malformed');
  });

  it('gives all ways to write the same data one fingerprint, and other data another', () => {
    const fingerprint = (text: string, proof: InitDataProof = hmac) => {
      const verdict = check(text, proof);
      return verdict.valid && verdict.fingerprint.toString('hex');
    };
    const reversed = fresh.split('&').reverse().join('&');
    const escaped = fresh.replace('query_id', '%71uery_id');
    expect(new Set([fresh, reversed, escaped].map((text) => fingerprint(text)))).to.have.length(1);
    expect(fingerprint(fresh, ed25519)).to.equal(fingerprint(fresh));
    expect(fingerprint(initDataOf({ id: 279058397, atMs: NOW_MS }))).not.to.equal(fingerprint(fresh));
  });

  it('refuses what names nobody, however well it is signed', () => {
    const atMs = NOW_MS;
    for (const user of [
      '',
      'null',
      '{}',
      '{"id":"7"}',
      '{"id":0}',
      '{"id":-1}',
      '{"id":1.5}',
      '{"id":1e300}',
      '[',
      '7',
    ]) {
      expect(faultOf(initDataOf({ id: 1, atMs, user })), user).to.equal('malformed');
    }
    for (const text of ['', 'hash=', `${fresh}&x=${'y'.repeat(4_096)}`, '%', '=&=']) {
      expect(faultOf(text), text.slice(0, 20)).to.equal('malformed');
    }
    for (const auth_date of ['', '-1', '0x1', '1e9', '01', ' 1']) {
      expect(faultOf(initDataOf({ id: 1, atMs, auth_date })), auth_date).to.equal('malformed');
    }
  });

  it('has an answer to every text', () => {
    assert(
      property(
        string(),
        (text) => faultOf(text) !== 'valid' && faultOf(`hash=${text}&auth_date=1&user={}`) !== 'valid',
      ),
    );
  });
});
