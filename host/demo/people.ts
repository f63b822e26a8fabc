import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import type { OrganisationKind, Principal, Registry, Role } from '../../registry/index.ts';

/** Organisations of the demo, with the roles that it needs tokens for. */
const ORGANISATIONS = [
  { slug: 'gatehouse', kind: 'platform', name: 'Gatehouse platform', roles: ['admin', 'moderator'] },
  { slug: 'acme-labs', kind: 'publisher', name: 'Acme Labs', roles: ['publisher'] },
  { slug: 'arcade-one', kind: 'operator', name: 'Arcade One', roles: ['operator', 'caller'] },
] as const satisfies { slug: string; kind: OrganisationKind; name: string; roles: readonly Role[] }[];

export const OPERATOR_SLUG = 'arcade-one';

/** API tokens by role. Kept in a file that only its owner can read, because the registry stores hashes alone. */
export type Credentials = Record<Role, string>;

type RegistryPorts = Pick<Registry, 'authenticate' | 'createOrganisation' | 'findOrganisation' | 'issueToken'>;

/** Makes organisations and tokens that are missing; keeps those that work. */
export async function seedPeople(registry: RegistryPorts, file: string): Promise<Credentials> {
  const known = await readCredentials(file);
  const credentials: Partial<Credentials> = {};
  for (const { roles, ...wanted } of ORGANISATIONS) {
    const organisation =
      (await registry.findOrganisation(wanted.slug)) ??
      (await registry.createOrganisation({ id: uuidv7(), ...wanted }));
    for (const role of roles) {
      const secret = known[role];
      const works = secret !== undefined && (await registry.authenticate(secret)) !== null;
      credentials[role] = works ? secret : await issue(registry, organisation, role);
    }
  }
  await writeCredentials(file, credentials as Credentials);
  return credentials as Credentials;
}

async function issue(registry: RegistryPorts, organisation: Principal['organisation'], role: Role): Promise<string> {
  const platform: Principal = {
    tokenId: 'demo',
    label: 'demo',
    role: 'admin',
    organisation: { ...organisation, kind: 'platform' },
  };
  const command = { organisation: organisation.slug, role, label: `demo ${role}` };
  return (await registry.issueToken(platform, command)).secret;
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
