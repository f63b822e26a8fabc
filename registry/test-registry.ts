import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { v7 } from 'uuid';
import { type TestDatabase, testDatabase } from '../migrations/test-database.ts';
import { type DsseEnvelope, type Manifest, sha256Hex, signRelease } from '../plugins-sdk/contract/index.ts';
import { createPublishing, createRegistry, type Principal, type Registry, RegistryRefusal } from './index.ts';
import type { OrganisationKind, Role } from './rules/permissions.ts';

/** A publisher with a registered key. */
export interface TestPublisher {
  principal: Principal;
  privateKey: KeyObject;
  publicKeyPem: string;
}

export interface TestRegistry {
  registry: Registry;
  publishing: ReturnType<typeof createPublishing>;
  database: TestDatabase;
  signingKey: KeyObject;
  /** The registry's clock; tests may move it. */
  clock: { nowMs: number };
  admin: Principal;
  moderator: Principal;
  organisation(slug: string, kind: OrganisationKind, role: Role): Promise<Principal>;
  publisher(slug: string): Promise<TestPublisher>;
  /** Publishes a sample release and approves it. */
  published(publisher: TestPublisher, manifest?: Partial<Manifest>): ReturnType<Registry['publishRelease']>;
}

/** A registry over a database of its own. Close `database` when done. */
export async function testRegistry(): Promise<TestRegistry> {
  const database = await testDatabase();
  const { privateKey: signingKey } = generateKeyPairSync('ed25519');
  const clock = { nowMs: Date.parse('2030-01-01T00:00:00Z') };
  const ports = {
    database: database.system,
    system: database.system,
    signingKey,
    nowMs: () => clock.nowMs,
    newId: v7,
  };
  const registry = createRegistry(ports);
  const organisation: TestRegistry['organisation'] = async (slug, kind, role) => {
    const created = await registry.createOrganisation({ id: v7(), slug, kind, name: `The ${slug}` });
    return {
      via: 'token',
      credentialId: v7(),
      label: 'test',
      role,
      organisation: created,
      account: null,
      factorAtMs: null,
    };
  };
  const admin = await organisation('platform', 'platform', 'admin');
  const moderator: Principal = { ...admin, credentialId: v7(), role: 'moderator' };
  return {
    registry,
    publishing: createPublishing({ ...ports, publishRelease: registry.publishRelease }),
    database,
    signingKey,
    clock,
    admin,
    moderator,
    organisation,
    async publisher(slug) {
      const principal = await organisation(slug, 'publisher', 'publisher');
      const { publicKey, privateKey } = generateKeyPairSync('ed25519');
      const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
      await registry.registerKey(principal, { publicKeyPem, label: 'laptop' });
      return { principal, privateKey, publicKeyPem };
    },
    async published(publisher, manifest = {}) {
      const command = await sampleRelease(publisher, manifest);
      const { id } = await registry.publishRelease(publisher.principal, command);
      return registry.approveRelease(moderator, id);
    },
  };
}

export const sampleManifest = (changes: Partial<Manifest> = {}): Manifest => ({
  name: 'greeter',
  version: '1.0.0',
  kind: 'plugin',
  publisher: 'acme',
  title: 'Greeter',
  description: 'Says hello.',
  category: 'utilities',
  entry: 'index.ts',
  engine: '^0.1.0',
  ...changes,
});

/** A signed release, ready to publish. */
export async function sampleRelease(
  { principal, privateKey }: TestPublisher,
  changes: Partial<Manifest> = {},
  code = 'export default 1;',
): Promise<{ archive: Buffer; envelope: DsseEnvelope }> {
  const manifest = sampleManifest({ publisher: principal.organisation.slug, ...changes });
  const archive = gzipSync(await tarOf(releaseFiles(manifest, code)));
  return { archive, envelope: envelopeOf(manifest, archive, privateKey) };
}

export function envelopeOf(manifest: Manifest, archive: Buffer, key: KeyObject): DsseEnvelope {
  const { publisher, name, version } = manifest;
  return signRelease({ publisher, name, version, digest: sha256Hex(gunzipSync(archive)) }, key);
}

export interface TarFile {
  name: string;
  content?: string | Buffer;
  type?: 'symlink' | 'link' | 'directory' | 'character-device' | 'block-device' | 'fifo';
  linkname?: string;
  pax?: Record<string, string>;
}

export const releaseFiles = (manifest: unknown = sampleManifest(), code: string | Buffer = 'export default 1;') => [
  { name: 'gatehouse.json', content: JSON.stringify(manifest) },
  { name: 'bundle.js', content: code },
];

/** An uncompressed tar that may hold anything, hostile things too. */
export async function tarOf(files: TarFile[]): Promise<Buffer> {
  const tar = pack();
  const chunks: Buffer[] = [];
  const done = (async () => {
    for await (const chunk of tar) chunks.push(chunk as Buffer);
  })();
  for (const { content = '', ...header } of files) {
    tar.entry({ mtime: new Date(0), ...header } as never, header.type ? undefined! : Buffer.from(content));
  }
  tar.finalize();
  await done;
  return Buffer.concat(chunks);
}

/** The refusal that `work` ends with; anything else fails the test. */
export async function refusalOf(work: Promise<unknown>): Promise<RegistryRefusal> {
  const outcome = await work.then(
    () => new Error('expected a refusal, but it succeeded'),
    (error) => error,
  );
  if (outcome instanceof RegistryRefusal) return outcome;
  throw outcome;
}
