import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { TOTP } from 'otpauth';
import { newTotpSecret, showTotp, totpStep } from './totp.ts';

/** `12345678901234567890`, the secret of RFC 6238, appendix B. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

describe('totpStep', () => {
  it('knows the codes of RFC 6238, shortened to six digits', () => {
    for (const [seconds, code] of [
      [59, '287082'],
      [1_111_111_109, '081804'],
      [1_111_111_111, '050471'],
      [1_234_567_890, '005924'],
      [2_000_000_000, '279037'],
      [20_000_000_000, '353130'],
    ] as const) {
      expect(totpStep(SECRET, code, seconds * 1_000), code).to.equal(Math.floor(seconds / 30));
    }
  });

  it('takes the codes of one step before and one after, and says which step it was', () => {
    const step = Math.floor(1_234_567_890 / 30);
    const at = (steps: number) => totpStep(SECRET, '005924', 1_234_567_890_000 + steps * 30_000);
    expect([-2, -1, 0, 1, 2].map(at)).to.deep.equal([null, step, step, step, null]);
  });

  it('takes nothing that is not six digits', () => {
    for (const code of ['', '05924', '0005924', '00592a', '٠٠٥٩٢٤', ' 005924', '5924', '005924\n']) {
      expect(totpStep(SECRET, code, 1_234_567_890_000), code).to.equal(null);
    }
  });
});

describe('showTotp', () => {
  it('gives apps what they need to make the same codes, also as a QR code without script', async () => {
    const secret = newTotpSecret(randomBytes);
    const { uri, qrSvg } = await showTotp(secret, { username: 'ada', issuer: 'Gatehouse' });
    expect(uri).to.match(/^otpauth:\/\/totp\/Gatehouse:ada\?/);
    expect(qrSvg)
      .to.match(/^<svg /)
      .and.not.to.match(/script|href=|on\w+=/);
    const theirs = (await import('otpauth')).URI.parse(uri) as TOTP;
    const nowMs = 1_900_000_000_000;
    expect(totpStep(secret, theirs.generate({ timestamp: nowMs }), nowMs)).to.equal((nowMs / 30_000) | 0);
  });

  it('makes another secret of 160 bits each time', () => {
    const secrets = Array.from({ length: 20 }, () => newTotpSecret(randomBytes));
    expect(new Set(secrets)).to.have.length(20);
    for (const secret of secrets) expect(secret).to.match(/^[A-Z2-7]{32}$/);
  });
});
