import type { Knex } from 'knex';
import { type AuditIn, type PersonVault, RegistryRefusal } from '../../registry/index.ts';
import { HostRefusal } from '../errors.ts';
import type { Log } from '../http/log.ts';
import { every } from '../repeat-work.ts';
import type { Privacy } from './contract.ts';
import { type PrivacyStore, privacyStore } from './privacy-store.ts';

/** An archive can be fetched for so long. */
const EXPORT_KEEP_MS = 7 * 86_400_000;
const LEASE_MS = 300_000;
const JOB_INTERVAL_MS = 1_000;
const SWEEP_INTERVAL_MS = 3_600_000;

export interface PrivacyPorts {
  /** For the person whose archive it is. */
  scoped: Knex;
  /** For what is done later and for everybody; and for an erasure, which reaches into every organisation that the person was in. */
  system: Knex;
  auditIn: AuditIn;
  vault: PersonVault;
  /** Lets this host forget sessions that it remembers. */
  forgetSessions(): void;
  log: Log;
  nowMs: () => number;
  newId: () => string;
}

export interface OpenPrivacy {
  privacy: Privacy;
  /** Makes the archives that wait. */
  work(): Promise<void>;
  sweep(stopping?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

const archivePlace = (id: string) => ({ table: 'personal_exports', row: id, column: 'sealed' });

export function openPrivacy(ports: PrivacyPorts): OpenPrivacy {
  const { vault, log, nowMs, newId } = ports;
  const store = privacyStore(ports.system, ports.auditIn);
  const own = privacyStore(ports.scoped, ports.auditIn);
  const work = async () => {
    for (
      let job = await store.claimExport(nowMs(), LEASE_MS);
      job !== null;
      job = await store.claimExport(nowMs(), LEASE_MS)
    ) {
      const person = await store.findPerson(job.accountId);
      if (person === null) await store.endExport(job.id, null, nowMs());
      else {
        const archive = await archiveOf(store, vault, person, nowMs());
        await store.endExport(job.id, vault.seal(person, archivePlace(job.id), archive), nowMs());
      }
    }
  };
  const sweep = async (stopping?: AbortSignal) => {
    const swept = await store.sweep(new Date(nowMs()), stopping);
    if (Object.keys(swept).length > 0) log.info({ swept }, 'rows deleted that were kept for their time');
  };
  const [stopWork, stopSweep] = [every(JOB_INTERVAL_MS, work, log), every(SWEEP_INTERVAL_MS, sweep, log)];
  return {
    work,
    sweep,
    close: async () => {
      await stopWork();
      await stopSweep();
    },
    privacy: {
      requestExport: (person) => {
        const atMs = nowMs();
        const made = { id: newId(), atMs, expiresAtMs: atMs + EXPORT_KEEP_MS };
        return own.addExport(person.account.id, made, person);
      },
      listExports: ({ account }) => own.listExports(account.id, nowMs()),
      readExport: async ({ account }, id) => {
        const [sealed, found] = [await own.findArchive(account.id, id, nowMs()), await own.findPerson(account.id)];
        if (sealed === null || found === null) throw new HostRefusal('export-unknown');
        return vault.open(found, archivePlace(id), sealed);
      },
      erase: async (person, confirmation) => {
        const { id, username } = person.account;
        if (confirmation !== username) throw new HostRefusal('erasure-unconfirmed');
        const organisation = await store.erase(id, person, new Date(nowMs()));
        if (organisation !== null) throw new RegistryRefusal('last-owner', undefined, { organisation });
        ports.forgetSessions();
      },
    },
  };
}

/** Everything that is kept about a person, as JSON for people and programs. */
async function archiveOf(
  store: PrivacyStore,
  vault: PersonVault,
  person: NonNullable<Awaited<ReturnType<PrivacyStore['findPerson']>>>,
  nowMs: number,
): Promise<string> {
  const { id, username, createdAt, phoneSealed } = person;
  const addresses = (await store.emails(id)).map((email) =>
    vault.open(person, { table: 'account_emails', row: email.id, column: 'sealed' }, email.sealed),
  );
  const phone = phoneSealed && vault.open(person, { table: 'accounts', row: id, column: 'phone_sealed' }, phoneSealed);
  const account = { id, username, createdAt, addresses, phone };
  return JSON.stringify(
    { format: 1, madeAt: new Date(nowMs).toISOString(), account, ...(await store.read(id)) },
    null,
    2,
  );
}
