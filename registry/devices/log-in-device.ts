import { createHash, randomInt } from 'node:crypto';
import type { ApiToken, Organisation } from '../contract.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Audit } from '../rules/audit-entry.ts';
import type { MemberRole } from '../rules/permissions.ts';
import { storedText } from '../rules/stored-text.ts';
import type { DeviceRequest, Devices } from './contract.ts';
import type { DeviceCodeStore, StoredDeviceCode } from './device-code-store.ts';

/** Source of the flow, its errors and its intervals: RFC 8628. */
const EXPIRES_SECONDS = 600;
const INTERVAL_SECONDS = 5;
/** RFC 8628, section 6.1: letters that cannot be mistaken for others and make no words. 20 to the 8th: 34 bits. */
const USER_LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const TOKEN_MS = 90 * 86_400_000;
const USER_CODE = /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/;
const DEVICE_CODE = /^ghd_[A-Za-z0-9_-]{43}$/;

export interface DevicePorts {
  codes: DeviceCodeStore;
  audit: Audit;
  /** A token for which a member answers, with their role. */
  issue(wish: {
    organisation: Organisation;
    role: MemberRole;
    account: { id: string; username: string };
    label: string;
    expiresAt: Date;
  }): Promise<{ token: ApiToken; secret: string }>;
  nowMs: () => number;
  newId: () => string;
  randomBytes: (count: number) => Buffer;
}

export const beginDevice =
  ({ codes, nowMs, newId, randomBytes }: DevicePorts): Devices['begin'] =>
  async ({ label, address }) => {
    const deviceCode = `ghd_${randomBytes(32).toString('base64url')}`;
    const now = new Date(nowMs());
    for (;;) {
      const userCode = Array.from({ length: 8 }, () => USER_LETTERS[randomInt(USER_LETTERS.length)]).join('');
      const inserted = await codes.insert({
        id: newId(),
        deviceHash: hashOf(deviceCode),
        userHash: hashOf(userCode),
        label: storedText(label),
        address: address.slice(0, 100),
        intervalSeconds: INTERVAL_SECONDS,
        now,
        expiresAt: new Date(now.getTime() + EXPIRES_SECONDS * 1_000),
      });
      if (!inserted) continue;
      const shown = `${userCode.slice(0, 4)}-${userCode.slice(4)}`;
      return { deviceCode, userCode: shown, expiresInSeconds: EXPIRES_SECONDS, intervalSeconds: INTERVAL_SECONDS };
    }
  };

export const readDevice =
  (ports: DevicePorts): Devices['read'] =>
  async (userCode) =>
    requestOf(await lockPending(ports, userCode));

export const approveDevice =
  (ports: DevicePorts): Devices['approve'] =>
  async (person, { userCode, organisation: slug }) => {
    const code = await lockPending(ports, userCode);
    const membership = await ports.codes.membership(person.account.id, { slug });
    if (membership === null) throw new RegistryRefusal('organisation-foreign');
    const { organisation } = membership;
    await ports.codes.setState(code.id, {
      state: 'approved',
      accountId: person.account.id,
      organisationId: organisation.id,
    });
    await ports.audit({
      action: 'device.approve',
      actor: { via: 'session', credentialId: person.sessionId, account: person.account, organisation },
      organisationId: organisation.id,
      subject: { kind: 'device-code', id: code.id },
      after: { label: code.label, address: code.address },
    });
    return requestOf(code);
  };

export const denyDevice =
  (ports: DevicePorts): Devices['deny'] =>
  async (person, userCode) => {
    const code = await lockPending(ports, userCode);
    await ports.codes.setState(code.id, { state: 'denied', accountId: person.account.id });
  };

/** What a poll comes to: a token, or the code of a refusal. The caller commits before it refuses, so that polls are counted. */
export type Claim = { issued: { token: ApiToken; secret: string } } | { refusal: RegistryRefusal };

export const claimDevice =
  ({ codes, audit, issue, nowMs }: DevicePorts) =>
  async (deviceCode: string): Promise<Claim> => {
    const refused = (...refusal: ConstructorParameters<typeof RegistryRefusal>): Claim => ({
      refusal: new RegistryRefusal(...refusal),
    });
    const code = DEVICE_CODE.test(deviceCode) ? await codes.lock({ deviceHash: hashOf(deviceCode) }) : null;
    const now = new Date(nowMs());
    // One that was used is as good as one that never was.
    if (code === null || code.state === 'claimed' || code.expiresAt <= now) return refused('device-code-expired');
    if (code.polledAt !== null && now.getTime() - code.polledAt.getTime() < code.intervalSeconds * 1_000) {
      const intervalSeconds = Math.min(code.intervalSeconds + 5, 600);
      await codes.polled(code.id, { at: now, intervalSeconds });
      return refused('device-code-slow-down', undefined, { intervalSeconds });
    }
    await codes.polled(code.id, { at: now, intervalSeconds: code.intervalSeconds });
    if (code.state === 'denied') return refused('device-code-denied');
    if (code.state === 'pending')
      return refused('device-code-pending', undefined, { intervalSeconds: code.intervalSeconds });
    // Whoever has left meanwhile has nothing to give.
    const holder = await codes.membership(code.accountId!, { id: code.organisationId! });
    if (holder === null) return refused('device-code-denied');
    const { organisation, role, username } = holder;
    const account = { id: code.accountId!, username };
    const expiresAt = new Date(now.getTime() + TOKEN_MS);
    const issued = await issue({ organisation, role, account, label: code.label, expiresAt });
    await codes.setState(code.id, { state: 'claimed' });
    await audit({
      action: 'token.issue',
      actor: { via: 'anonymous', accountId: account.id, organisationId: organisation.id, role },
      organisationId: organisation.id,
      subject: { kind: 'token', id: issued.token.id },
      after: { role, label: code.label, deviceCodeId: code.id, expiresAt: expiresAt.toISOString() },
    });
    return { issued };
  };

/** Refuses with: device-code-unknown, whatever has become of it. */
async function lockPending({ codes, nowMs }: DevicePorts, typed: string): Promise<StoredDeviceCode> {
  const userCode = typed.toUpperCase().replace(/[\s-]/g, '');
  const code = USER_CODE.test(userCode) ? await codes.lock({ userHash: hashOf(userCode) }) : null;
  if (code?.state !== 'pending' || code.expiresAt.getTime() <= nowMs())
    throw new RegistryRefusal('device-code-unknown');
  return code;
}

const requestOf = ({ label, address, createdAt, expiresAt }: StoredDeviceCode): DeviceRequest => ({
  label,
  address,
  createdAt: createdAt.toISOString(),
  expiresAt: expiresAt.toISOString(),
});

const hashOf = (code: string): Buffer => createHash('sha256').update(code).digest();
