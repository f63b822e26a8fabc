import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import type { OrganisationKind, Principal, Registry, TokenRole } from '../../registry/index.ts';

/** Organisations of the demo, the platform first, and whom it needs tokens for with which role. */
const ORGANISATIONS = [
  {
    slug: 'gatehouse',
    kind: 'platform',
    name: 'Gatehouse platform',
    people: { admin: 'admin', moderator: 'moderator' },
  },
  { slug: 'acme-labs', kind: 'publisher', name: 'Acme Labs', people: { publisher: 'publisher' } },
  {
    slug: 'arcade-one',
    kind: 'operator',
    name: 'Arcade One',
    people: { operator: 'operator-owner', caller: 'caller' },
  },
] as const satisfies { slug: string; kind: OrganisationKind; name: string; people: Record<string, TokenRole> }[];

export const OPERATOR_SLUG = 'arcade-one';

/** API tokens by who uses them. Kept in a file that only its owner can read, because the registry stores hashes alone. */
export type Credentials = Record<'admin' | 'moderator' | 'publisher' | 'operator' | 'caller', string>;

type RegistryPorts = Pick<Registry, 'authenticate' | 'createOrganisation' | 'findOrganisation' | 'issueToken'>;

/** Makes organisations and tokens that are missing; keeps those that work. */
export async function seedPeople(registry: RegistryPorts, file: string): Promise<Credentials> {
  const known = await readCredentials(file);
  const credentials: Partial<Credentials> = {};
  let platform: Principal['organisation'] | null = null;
  for (const { people, ...wanted } of ORGANISATIONS) {
    const organisation =
      (await registry.findOrganisation(wanted.slug)) ??
      (await registry.createOrganisation({ id: uuidv7(), ...wanted }));
    platform ??= organisation;
    for (const [person, role] of Object.entries(people)) {
      const secret = known[person as keyof Credentials];
      const works = secret !== undefined && (await registry.authenticate(secret)) !== null;
      credentials[person as keyof Credentials] = works ? secret : await issue(registry, platform, organisation, role);
    }
  }
  await writeCredentials(file, credentials as Credentials);
  return credentials as Credentials;
}

async function issue(
  registry: RegistryPorts,
  platform: Principal['organisation'],
  organisation: Principal['organisation'],
  role: TokenRole,
): Promise<string> {
  const admin: Principal = {
    via: 'token',
    credentialId: 'demo',
    account: null,
    factorAtMs: null,
    label: 'demo',
    role: 'admin',
    organisation: platform,
  };
  const command = { organisation: organisation.slug, role, label: `demo ${role}` };
  return (await registry.issueToken(admin, command)).secret;
}

async function readCredentials(file: string): Promise<Partial<Credentials>> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return {};
  }
}

async function writeCredentials(file: string, credentials: Credentials): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
