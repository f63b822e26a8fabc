import type { Knex } from 'knex';
import {
  type Accounts,
  type AuditIn,
  activeAccountIn,
  createFactors,
  createTelegram,
  endSessionsIn,
  type FactorEvent,
  type Factors,
  type PersonVault,
  TELEGRAM_PUBLIC_KEYS,
  type Telegram,
  telegramAccountIn,
} from '../../registry/index.ts';
import type { Config } from '../config.ts';
import type { Envelope } from '../encryption/envelope.ts';
import { passkeyPlace } from './passkey-place.ts';

export interface FactorsSettings {
  /** For the person whose factors they are. */
  scoped: Knex;
  /** For who logs in and is not known yet; and for an admin who takes away what no admin may see. */
  system: Knex;
  envelope: Envelope;
  accounts: Pick<Accounts, 'attempts'>;
  vault: Pick<PersonVault, 'newKey'>;
  telegram: Config['telegram'];
  publicOrigin(): string;
  auditIn: AuditIn;
  raise(event: FactorEvent): void;
  /** Forgets what this host remembers of sessions: the next request must not meet what was true before. */
  forgetSessions(): void;
  nowMs(): number;
  newId(): string;
}

/** Second factors, passkeys and Telegram on this host. */
export function openFactors(settings: FactorsSettings): {
  factors: Factors;
  telegram: Telegram;
  challengeFor: Factors['challengeFor'];
  sweep(): Promise<void>;
} {
  const { scoped, system, envelope, accounts, vault, auditIn, forgetSessions, nowMs, newId } = settings;
  const activeAccount = activeAccountIn(system);
  const ends = endSessionsIn(nowMs);
  const factors = createFactors({
    database: scoped,
    system,
    auditIn,
    endSessionsIn: ends,
    envelope,
    beginAttempt: accounts.attempts.begin,
    activeAccount,
    passkeyPlace: () => passkeyPlace(settings.publicOrigin()),
    raise: settings.raise,
    nowMs,
    newId,
  });
  const { ageMsMax, skewMsMax } = settings.telegram;
  const telegram = createTelegram({
    database: scoped,
    system,
    proof: proofOf(settings.telegram),
    bounds: { ageMsMax, skewMsMax },
    auditIn,
    newAccountIn: telegramAccountIn({ newId, newPersonKey: vault.newKey }),
    activeAccount,
    waysInIn: factors.waysInIn,
    requireFresh: factors.requireFresh,
    endSessionsIn: ends,
    nowMs,
  });
  /** The database tells all hosts, this one too, but only a moment later. */
  const thenForget =
    <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      const result = await work(...args);
      forgetSessions();
      return result;
    };
  return {
    factors: {
      ...factors,
      confirmTotp: thenForget(factors.confirmTotp),
      removeTotp: thenForget(factors.removeTotp),
      renewRecoveryCodes: thenForget(factors.renewRecoveryCodes),
      addPasskey: thenForget(factors.addPasskey),
      removePasskey: thenForget(factors.removePasskey),
      stepUp: thenForget(factors.stepUp),
      reset: thenForget(factors.reset),
    },
    telegram: { ...telegram, link: thenForget(telegram.link), unlink: thenForget(telegram.unlink) },
    challengeFor: factors.challengeFor,
    sweep: async () => {
      await factors.sweep();
      await telegram.sweep();
    },
  };
}

/** By the bot's token where the host has it, else by Telegram's own key and the bot's id. */
function proofOf({ botToken, botId, environment }: Config['telegram']) {
  if (botToken !== null) return { form: 'hmac-sha256', botToken } as const;
  if (botId === null) return null;
  return { form: 'ed25519', botId, publicKeyHex: TELEGRAM_PUBLIC_KEYS[environment] } as const;
}
