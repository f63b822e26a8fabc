import { checkAssertion } from './check-passkey.ts';
import type { FactorMethod, FactorProof, PasskeyAssertion } from './contract.ts';
import type { FactorPorts, FactorStores } from './factor-ports.ts';
import type { StoredPasskey } from './passkey-store.ts';
import { recoveryHash } from './rules/recovery-code.ts';
import { totpStep } from './totp.ts';

/** A proof that was right, with what must still be written so that it is never right again; `use` is false where another was quicker. */
export interface RightProof {
  method: FactorMethod;
  use(stores: FactorStores): Promise<boolean>;
}

/** Whether a proof is that of the account. `challenge` is what a passkey had to sign. */
export async function checkProof(
  ports: FactorPorts,
  { accountId, proof, challenge }: { accountId: string; proof: FactorProof; challenge: string | undefined },
): Promise<RightProof | null> {
  if ('code' in proof) return checkCode(ports, accountId, proof.code);
  if ('recoveryCode' in proof) return checkRecoveryCode(ports, accountId, proof.recoveryCode);
  if (challenge === undefined) return null;
  const stored = await findPasskey(ports, proof.passkey);
  if (stored?.accountId !== accountId) return null;
  return checkPasskey(ports, { challenge, passkey: proof.passkey, stored, userVerified: false });
}

async function checkCode(ports: FactorPorts, accountId: string, code: string): Promise<RightProof | null> {
  const totp = await ports.stores.factors.findTotp(accountId, 'in-use');
  if (totp === null) return null;
  const nowMs = ports.nowMs();
  const step = totpStep(ports.open(totp.id, totp.sealed), code, nowMs);
  if (step === null) return null;
  return { method: 'totp', use: ({ factors }) => factors.useTotp(totp.id, { step, at: new Date(nowMs) }) };
}

async function checkRecoveryCode(ports: FactorPorts, accountId: string, text: string): Promise<RightProof | null> {
  const hash = recoveryHash(accountId, text);
  if (hash === null) return null;
  const at = new Date(ports.nowMs());
  return { method: 'recovery-code', use: ({ factors }) => factors.useRecoveryCode(accountId, hash, at) };
}

export const findPasskey = ({ stores }: FactorPorts, { id }: PasskeyAssertion): Promise<StoredPasskey | null> =>
  stores.passkeys.findByCredential(Buffer.from(id, 'base64url'));

export async function checkPasskey(
  ports: FactorPorts,
  command: { challenge: string; passkey: PasskeyAssertion; stored: StoredPasskey; userVerified: boolean },
): Promise<RightProof | null> {
  const place = ports.passkeyPlace();
  if (place === null) return null;
  const { id, accountId } = command.stored;
  const verdict = await checkAssertion({ place, ...command });
  if (!verdict.valid) {
    if (verdict.counterWentBack) await tellOfCopy(ports, accountId, id);
    return null;
  }
  const { counter, backedUp } = verdict;
  const at = new Date(ports.nowMs());
  return { method: 'passkey', use: ({ passkeys }) => passkeys.count(id, { counter, backedUp, at }) };
}

/** Two authenticators sign with one key: somebody has copied it, or an old one was restored. */
async function tellOfCopy({ stores, raise }: FactorPorts, accountId: string, passkeyId: string): Promise<void> {
  await stores.audit({
    action: 'passkey.use',
    actor: { via: 'anonymous', accountId },
    organisationId: null,
    subject: { kind: 'passkey', id: passkeyId },
    outcome: 'refused',
    after: { reason: 'its counter went back' },
  });
  raise({ kind: 'passkey-copied', accountId, facts: { passkeyId } });
}
