import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { MemberRole, Organisations, Principal } from '../../registry/index.ts';
import type { SentMail } from '../mail/contract.ts';
import { RoleRefused } from '../roles/role.ts';

/** People of the demo, and what they are in which organisation. */
const PEOPLE = [
  { username: 'ada', organisation: 'acme-labs', role: 'publisher' },
  { username: 'otto', organisation: 'arcade-one', role: 'operator-owner' },
  { username: 'mona', organisation: 'gatehouse', role: 'moderator' },
] as const satisfies { username: string; organisation: string; role: MemberRole }[];

export interface DemoPerson {
  username: string;
  password: string;
  /** Slug. */
  organisation: string;
  role: MemberRole;
}

export interface DemoAccountPorts {
  url: string;
  /** An API token that may invite into every organisation. */
  admin: Principal;
  organisations: Pick<Organisations, 'invite'>;
  /** Where passwords are kept, because the platform has hashes alone. */
  file: string;
}

/** Makes people who are missing, as they would do it themselves: register, read the mail, log in, accept an invitation. */
export async function seedAccounts(ports: DemoAccountPorts): Promise<DemoPerson[]> {
  const known = await readPasswords(ports.file);
  const people = await Promise.all(
    PEOPLE.map(async ({ username, organisation, role }): Promise<DemoPerson> => {
      const kept = known[username];
      const token = kept === undefined ? null : await logIn(ports, username, kept);
      const works = kept !== undefined && token !== null;
      if (works) await logOut(ports, token);
      const password = works ? kept : `Demo-${randomBytes(9).toString('base64url')}-7z`;
      const person = { username, password, organisation, role };
      if (!works) await makePerson(ports, person);
      return person;
    }),
  );
  const passwords = Object.fromEntries(people.map(({ username, password }) => [username, password]));
  await writeFile(`${ports.file}.new`, `${JSON.stringify(passwords, null, 2)}\n`, { mode: 0o600 });
  await rename(`${ports.file}.new`, ports.file);
  return people;
}

/** Registers somebody, or, where they are known and the password is lost, gives them a new one. */
async function makePerson(ports: DemoAccountPorts, { username, password, organisation, role }: DemoPerson) {
  const email = `${username}@example.com`;
  const read = new Set((await mailsTo(ports, email)).map(({ id }) => id));
  const registered = await post(ports, '/v1/accounts', { username, password, email });
  if (registered.status !== 202) {
    // Who was registered when a start broke off may not have read the first mail, and gets no other before; who has gets no first mail.
    await need(post(ports, '/v1/accounts/verification-mails', { email }));
    await need(post(ports, '/v1/accounts/password-resets', { email }));
  }
  const first = await nextCode(ports, email, read);
  if (first.resets) await need(post(ports, RESET, { code: first.code, password }));
  else await need(post(ports, '/v1/accounts/verification', { code: first.code }));
  if (registered.status !== 202 && !first.resets) {
    await need(post(ports, '/v1/accounts/password-resets', { email }));
    await need(post(ports, RESET, { code: (await nextCode(ports, email, read)).code, password }));
  }
  const token = await logIn(ports, username, password);
  const account = await fetch(`${ports.url}/v1/account`, { headers: { authorization: `Bearer ${token}` } });
  const { memberships } = (await account.json()) as { memberships: { organisation: string }[] };
  if (!memberships.some((each) => each.organisation === organisation)) {
    const { secret } = await ports.organisations.invite(ports.admin, { organisation, role });
    await need(post(ports, '/v1/invitations/acceptance', { secret }, token));
  }
  await logOut(ports, token);
}

/** What a person sees first: the session is theirs, and the organisation's plugins are there. */
export async function showLogin(
  ports: Pick<DemoAccountPorts, 'url'>,
  { username, password, organisation }: DemoPerson,
): Promise<{ sessions: number }> {
  const token = await logIn(ports, username, password);
  const headers = { authorization: `Bearer ${token}`, 'gatehouse-organisation': organisation };
  const look = async (path: string) => {
    const answer = await fetch(ports.url + path, { headers });
    if (!answer.ok) throw new RoleRefused(`${username} cannot look at ${path}: ${await answer.text()}`);
    return ((await answer.json()) as { items: unknown[] }).items.length;
  };
  await look('/v1/installations');
  const sessions = await look('/v1/sessions');
  await logOut(ports, token);
  return { sessions };
}

/** An access token; null where the password is no good. */
async function logIn(ports: Pick<DemoAccountPorts, 'url'>, login: string, password: string): Promise<string | null> {
  const answer = await post(ports, '/v1/sessions', { login, password, device: 'demo' });
  if (answer.status === 401) return null;
  const { accessToken = '' } = (await answer.json()) as { accessToken?: string };
  // 202: they have a second factor by now, and the password was right.
  return accessToken;
}

async function logOut({ url }: Pick<DemoAccountPorts, 'url'>, token: string | null): Promise<void> {
  if (!token) return;
  await fetch(`${url}/v1/sessions/current`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } });
}

const post = (
  { url }: Pick<DemoAccountPorts, 'url'>,
  path: string,
  body: object,
  token: string | null = null,
): Promise<Response> =>
  fetch(url + path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
  });

async function need(answered: Promise<Response>): Promise<void> {
  const answer = await answered;
  if (!answer.ok) throw new RoleRefused(`The demo's people cannot be made: ${await answer.text()}`);
}

const MAIL_TRIES = 100;
const MAIL_WAIT_MS = 50;

const RESET = '/v1/accounts/password-resets/confirmation';
const RESET_SUBJECT = 'A new password';

/** From the mailbox that everybody may read, newest first; nothing where a busy host does not show it now. */
async function mailsTo({ url }: DemoAccountPorts, email: string): Promise<SentMail[]> {
  const answer = await fetch(`${url}/dev/mailbox`);
  const { items } = (answer.ok ? await answer.json() : { items: [] }) as { items: SentMail[] };
  return items.filter(({ to }) => to === email);
}

/** The code of a mail that was not read before, and which then is. */
async function nextCode(
  ports: DemoAccountPorts,
  email: string,
  read: Set<string>,
): Promise<{ code: string; resets: boolean }> {
  for (let tried = 0; tried < MAIL_TRIES; tried += 1) {
    for (const { id, subject, text } of (await mailsTo(ports, email)).filter((mail) => !read.has(mail.id))) {
      read.add(id);
      const code = /^ {4}(\S+)$/m.exec(text)?.[1];
      if (code) return { code, resets: subject.startsWith(RESET_SUBJECT) };
    }
    await new Promise((resolve) => setTimeout(resolve, MAIL_WAIT_MS));
  }
  throw new RoleRefused(`No mail came for ${email}; GATEHOUSE_DEV_MAILBOX must be on in the demo.`);
}

async function readPasswords(file: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return {};
  }
}
