import type { Config } from './config.ts';
import { type AppPart, createApp, type HttpPorts } from './http/app.ts';
import { createClientAddress, createProxyCheck } from './http/client-address.ts';
import { type HttpServer, startServer } from './http/server.ts';
import { refuseAddress } from './listen-address.ts';

export interface Listeners {
  /** Such as `http://127.0.0.1:8080`. */
  url: string;
  /** Of the listener for admins; null where the first one serves everything. */
  adminUrl: string | null;
  /** Stops accepting on both, lets requests finish within `drainMs`. Idempotent. */
  close(drainMs: number): Promise<void>;
}

/**
 * Listens where callers reach the host, and, where an address for admins is configured, there too: what is for the platform's own
 * people is then served there alone. Refuses with: AddressUnavailable.
 */
export async function openListeners(
  config: Config,
  ports: Omit<HttpPorts, 'clientAddress' | 'publicOrigin'>,
): Promise<Listeners> {
  const { admin, publicUrl, trustedProxies, hostName, port } = config;
  let url = '';
  const app: HttpPorts = {
    ...ports,
    strangersRead: config.cataloguePublic,
    ready: askedOnce(ports.ready),
    clientAddress: createClientAddress(trustedProxies),
    publicOrigin: () => publicUrl ?? url,
  };
  const settings = {
    log: ports.log,
    https: publicUrl?.startsWith('https:') === true,
    isProxy: createProxyCheck(trustedProxies),
    connectionsPerAddressMax: config.connectionsPerAddress,
    answersWhileClosing: config.hosts > 1,
    onConnectionRefused: ports.metrics.connectionRefused,
  };
  const listen = (part: AppPart, at: { hostName: string; port: number }) =>
    startServer(createApp(app, part), { ...settings, ...at });

  const first = await listen(admin === null ? 'whole' : 'public', { hostName, port }).catch((error) =>
    refuseAddress(error, { hostName, port }),
  );
  url = first.url;
  const servers: HttpServer[] = [first];
  if (admin !== null) {
    const second = await listen('admin', admin).catch(async (error) => {
      await first.close(0);
      return refuseAddress(error, admin, ADMIN_SETTINGS);
    });
    servers.push(second);
  }
  return {
    url,
    adminUrl: servers[1]?.url ?? null,
    close: async (drainMs) => void (await Promise.all(servers.map((server) => server.close(drainMs)))),
  };
}

/** Probes are not counted, and each asks the database: those that come together share an answer. */
function askedOnce<Value>(ask: () => Promise<Value>): () => Promise<Value> {
  let asking: Promise<Value> | null = null;
  return () => {
    asking ??= ask().finally(() => {
      asking = null;
    });
    return asking;
  };
}

const ADMIN_SETTINGS = { hostName: 'GATEHOUSE_ADMIN_HOST', port: 'GATEHOUSE_ADMIN_PORT' };
