import { Secret, TOTP } from 'otpauth';

/** What every authenticator app knows (RFC 6238): SHA-1, six digits, steps of 30 seconds. */
const PERIOD_MS = 30_000;
/** Clocks of telephones differ: the step before and the one after are good, too. */
const DRIFT_STEPS = 1;
const SECRET_BYTES = 20;
export const TOTP_CODE = /^\d{6}$/;

/** A new secret: 160 random bits in base 32. */
export const newTotpSecret = (randomBytes: (bytes: number) => Buffer): string =>
  new Secret({ buffer: new Uint8Array(randomBytes(SECRET_BYTES)).buffer }).base32;

const totpOf = (secret: string, account = '', issuer = 'Gatehouse') =>
  new TOTP({ issuer, label: account, algorithm: 'SHA1', digits: 6, period: 30, secret: Secret.fromBase32(secret) });

/** The address that an authenticator app reads, and it as a QR code. */
export async function showTotp(
  secret: string,
  { username, issuer }: { username: string; issuer: string },
): Promise<{ uri: string; qrSvg: string }> {
  const uri = totpOf(secret, username, issuer).toString();
  // Read when somebody enrols: an idle host goes without.
  const { default: QRCode } = await import('qrcode');
  return { uri, qrSvg: await QRCode.toString(uri, { type: 'svg', errorCorrectionLevel: 'M', margin: 2 }) };
}

/** The number of the step that a code is of, counted from 1970; null where it is of none that is near. In constant time for codes of six digits. */
export function totpStep(secret: string, code: string, nowMs: number): number | null {
  if (!TOTP_CODE.test(code)) return null;
  const delta = totpOf(secret).validate({ token: code, timestamp: nowMs, window: DRIFT_STEPS });
  return delta === null ? null : Math.floor(nowMs / PERIOD_MS) + delta;
}
