import { createPublicKey } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { GOOD_CONDUCT } from '../../host/conduct/contract.ts';
import type { Installation, InstallationLogEntry } from '../../host/installations/contract.ts';
import type { Notification } from '../../host/notifications/contract.ts';
import { PINNED } from '../../host/rollouts/contract.ts';
import type { Release } from '../../registry/index.ts';
import { keyIdOf, sha256Hex, verifyRelease } from '../contract/index.ts';

/** What was asked, in order, and the state that answers come from. For tests only. */
export interface FakeControlPlane {
  url: string;
  asked: {
    method: string;
    url: string;
    authorization: string | undefined;
    body: string;
    headers: IncomingMessage['headers'];
  }[];
  releases: Release[];
  installations: Installation[];
  logs: InstallationLogEntry[];
  notifications: Notification[];
  /** Breaks the connection of the next so many requests, after they were read. */
  breakNext(count: number): void;
  close(): Promise<void>;
}

export const FAKE_TOKEN = 'gh_test_token';
const ORGANISATION = {
  id: '0197c0de-0000-7000-8000-000000000001',
  slug: 'acme-labs',
  kind: 'publisher' as const,
  name: 'Acme Labs',
};
const NOW = '2026-11-21T12:00:00.000Z';

class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly facts: object;
  constructor(status: number, code: string, message: string, facts: object = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.facts = facts;
  }
}

/** A small real HTTP server that answers as the control plane is specified to. It keeps what it is told in memory. */
export async function startFakeControlPlane(): Promise<FakeControlPlane> {
  const keys = new Map<string, string>();
  let toBreak = 0;
  const fake = {
    asked: [],
    releases: [],
    installations: [],
    logs: [],
    notifications: [],
  } as unknown as FakeControlPlane;

  const publish = async (body: { archive: string; envelope: Release['envelope'] }) => {
    const tar = gunzipSync(Buffer.from(body.archive, 'base64'));
    const files = await readTar(tar);
    const manifest = JSON.parse(files['gatehouse.json']!);
    const signer = keys.get(body.envelope.signatures[0]?.keyid ?? '');
    const statement = signer ? verifyRelease(body.envelope, createPublicKey(signer)) : null;
    if (statement?.digest !== sha256Hex(tar)) {
      throw new Refused(
        422,
        'release-signature-invalid',
        "No registered key of the publisher signed this archive's digest.",
      );
    }
    const plugin = `${manifest.publisher}/${manifest.name}`;
    const known = fake.releases.find((each) => each.plugin === plugin && each.version === manifest.version);
    if (known && known.digest !== statement.digest)
      throw new Refused(409, 'release-version-taken', 'Versions are immutable.');
    const release: Release = known ?? {
      id: `0197c0de-0000-7000-8000-00000000010${fake.releases.length}`,
      plugin,
      version: manifest.version,
      state: 'in-review',
      manifest,
      digest: statement.digest,
      bundleDigest: sha256Hex(files['bundle.js']!),
      bundleBytes: files['bundle.js']!.length,
      envelope: body.envelope,
      reasons: [],
      createdAt: NOW,
      reviewedAt: null,
      yanked: null,
      deprecated: null,
      blocked: null,
      provenance: null,
      origin: null,
    };
    if (!known) fake.releases.push(release);
    return release;
  };

  const review = (id: string, change: Partial<Release>) => {
    const release = fake.releases.find((each) => each.id === id);
    if (!release) throw new Refused(404, 'release-unknown', 'There is no such release.');
    return Object.assign(release, change, { reviewedAt: NOW });
  };

  const install = (body: {
    id: string;
    plugin: string;
    slug: string;
    grants: Installation['grants'];
    config?: never;
    version?: string;
  }) => {
    const known = fake.installations.find(({ id }) => id === body.id);
    if (known) return known;
    const release = fake.releases.find(({ plugin, state }) => plugin === body.plugin && state === 'published');
    if (!release) throw new Refused(404, 'release-unknown', 'There is no such release.');
    const missing = (release.manifest.capabilities ?? []).filter(
      ({ name, optional }) => !optional && !body.grants.includes(name),
    );
    if (missing.length > 0) throw new Refused(422, 'grant-missing', 'Grant kv.', { missing });
    const { plugin, version, id: releaseId, bundleDigest } = release;
    const rest = {
      grantedLimits: {},
      enabled: true,
      installing: false,
      blocked: null,
      conduct: GOOD_CONDUCT,
      updates: PINNED,
      createdAt: NOW,
      updatedAt: NOW,
    };
    const { id, slug, grants, config = {} } = body;
    const installation: Installation = {
      id,
      slug,
      operator: ORGANISATION,
      plugin,
      version,
      releaseId,
      bundleDigest,
      grants,
      config,
      ...rest,
    };
    fake.installations.push(installation);
    return installation;
  };

  const answer = async (method: string, url: URL, body: string): Promise<[status: number, value: unknown]> => {
    const json = () => JSON.parse(body);
    const [, , noun, id, verb] = url.pathname.split('/').map(decodeURIComponent);
    const asked = `${method} ${noun}${id ? '/:id' : ''}${verb ? `/${verb}` : ''}`;
    const items = <Item>(all: Item[]) => pageOf(all, url.searchParams);
    switch (asked) {
      case 'GET whoami':
        return [
          200,
          {
            credentialId: 't-1',
            label: 'test',
            role: 'publisher',
            organisation: ORGANISATION,
            expiresAt: null,
            permissions: [],
          },
        ];
      case 'POST keys': {
        const { publicKeyPem, label } = json();
        const keyId = keyIdOf(createPublicKey(publicKeyPem));
        keys.set(keyId, publicKeyPem);
        const times = { createdAt: NOW, revokedAt: null, retiresAt: null, successorId: null, compromisedSince: null };
        return [201, { keyId, label, publicKeyPem, ...times }];
      }
      case 'POST releases':
        return [201, await publish(json())];
      case 'GET releases': {
        const [plugin, state] = [url.searchParams.get('plugin'), url.searchParams.get('state')];
        return [
          200,
          items(
            fake.releases.filter((each) => (!plugin || each.plugin === plugin) && (!state || each.state === state)),
          ),
        ];
      }
      case 'POST releases/:id/review': {
        const { decision, reasons } = json() as { decision: string; reasons: { message: string }[] };
        const state = decision === 'approve' ? 'published' : 'rejected';
        return [200, review(id!, { state, reasons: reasons.map(({ message }) => message) })];
      }
      case 'POST installations':
        return [201, install(json())];
      case 'GET installations':
        return [200, items(fake.installations)];
      case 'GET installations/:id': {
        const found = fake.installations.find((each) => each.id === id);
        if (found) return [200, found];
        throw new Refused(404, 'installation-unknown', 'There is no such installation.');
      }
      case 'POST installations/:id/resume': {
        const found = fake.installations.find((each) => each.id === id);
        if (!found) throw new Refused(404, 'installation-unknown', 'There is no such installation.');
        found.conduct = { ...found.conduct, score: 0, suspendedAt: null };
        return [200, found];
      }
      case 'GET notifications': {
        const unread = url.searchParams.get('unread') === 'true';
        return [200, items(fake.notifications.filter(({ readAt }) => !unread || readAt === null).toReversed())];
      }
      case 'POST notifications/:id/read': {
        const found = fake.notifications.find((each) => each.id === id);
        if (!found) throw new Refused(404, 'notification-unknown', 'There is no such notification.');
        return [200, Object.assign(found, { readAt: NOW })];
      }
      case 'GET installations/:id/logs':
        return [200, items(fake.logs.toReversed())];
      default: {
        const version = url.pathname.split('/')[5];
        if (method === 'GET' && noun === 'releases') {
          const all = fake.releases.filter(({ plugin }) => plugin === `${id}/${verb}`);
          const newest = all.findLast(({ state }) => state === 'published');
          const release = version === 'latest' ? newest : all.find((each) => each.version === version);
          if (release) return [200, release];
          throw new Refused(404, 'release-unknown', 'There is no such release.');
        }
        throw new Refused(404, 'route-unknown', 'There is nothing at this path.');
      }
    }
  };

  const server = createServer(async (req, res) => {
    const body = await readText(req);
    const { method = '', url = '', headers } = req;
    fake.asked.push({ method, url, authorization: headers.authorization, body, headers });
    if (toBreak > 0) {
      toBreak -= 1;
      req.socket.destroy();
      return;
    }
    if (url.startsWith('/run/')) return echo(req, res, body);
    try {
      if (headers.authorization !== `Bearer ${FAKE_TOKEN}`)
        throw new Refused(401, 'token-invalid', 'The API token is unknown.');
      const [status, value] = await answer(method, new URL(url, 'http://fake'), body);
      res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    } catch (error) {
      const { status = 500, code = 'internal-error', message, facts } = error as Refused;
      const problem = {
        type: `/problems/${code}`,
        title: code,
        status,
        detail: message,
        instance: 'urn:request:r-1',
        ...facts,
      };
      res.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(fake, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    breakNext: (count: number) => {
      toBreak = count;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

function pageOf<Item>(all: Item[], query: URLSearchParams) {
  const from = Number(query.get('cursor') ?? 0);
  const to = from + Number(query.get('limit') ?? 50);
  return { items: all.slice(from, to), nextCursor: to < all.length ? String(to) : null };
}

/** The data plane: answers with what arrived; `/teapot` with a status; `/refused` as the host would. */
function echo(req: IncomingMessage, res: ServerResponse, body: string): void {
  if (req.url!.endsWith('/refused')) {
    const problem = { type: '/problems/plugin-route-unknown', detail: 'No such route.', instance: 'urn:request:r-2' };
    res.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    return;
  }
  res.writeHead(req.url!.endsWith('/teapot') ? 418 : 200, {
    'content-type': 'application/json',
    'x-gatehouse-invocation': 'i-1',
  });
  res.end(JSON.stringify({ method: req.method, url: req.url, type: req.headers['content-type'] ?? null, body }));
}

async function readText(req: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of req) text += chunk;
  return text;
}

/** Texts of a tar by their names. */
export async function readTar(tar: Buffer): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader) {
    let text = '';
    for await (const chunk of entry) text += chunk;
    files[entry.header.name] = text;
  }
  return files;
}
