import { createSocket } from 'node:dgram';
import dns, { Resolver } from 'node:dns/promises';
import http from 'node:http';
import http2 from 'node:http2';
import { connect, createServer, type NetConnectOpts } from 'node:net';
import { type Attempt, attempt } from './attempt.ts';

const BY_KERNEL_NETWORK = ['EPERM', 'EACCES', 'ENETUNREACH', 'ECONNREFUSED', 'ENOENT', 'EAFNOSUPPORT'];
const kernel = { native: BY_KERNEL_NETWORK };

const reach = (address: NetConnectOpts): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(address)
      .on('connect', () => {
        resolve('connected');
        socket.destroy();
      })
      .on('error', reject);
  });
const causeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((error: Error & { code?: string }) => {
    throw error.code ? error : (error.cause ?? error);
  });

export const NETWORK: Attempt[] = [
  attempt('connects by TCP', ({ tcpPort }) => reach({ port: tcpPort, host: '127.0.0.1' }), kernel),
  attempt('connects by IPv6', ({ tcpPort }) => reach({ port: tcpPort, host: '::1' }), {
    native: [...BY_KERNEL_NETWORK, 'EADDRNOTAVAIL'],
  }),
  attempt('connects to the outside', () => reach({ port: 53, host: '192.0.2.1' }), kernel),
  attempt('fetches', ({ tcpPort }) => causeOf(fetch(`http://127.0.0.1:${tcpPort}/`)), kernel),
  attempt(
    'requests by http',
    ({ tcpPort }) =>
      new Promise((resolve, reject) => {
        http.get({ port: tcpPort, host: '127.0.0.1' }, resolve).on('error', reject);
      }),
    kernel,
  ),
  attempt(
    'requests by http2',
    ({ tcpPort }) =>
      new Promise((resolve, reject) => {
        http2.connect(`http://127.0.0.1:${tcpPort}`).on('connect', resolve).on('error', reject);
      }),
    kernel,
  ),
  attempt(
    'opens a web socket',
    ({ tcpPort }) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://127.0.0.1:${tcpPort}`);
        socket.onopen = resolve;
        socket.onerror = (event) => reject(Object.assign(new Error('refused'), { code: rootCode(event) }));
      }),
    { shipped: ['ERR_ACCESS_DENIED', 'WEB_SOCKET'], native: [...BY_KERNEL_NETWORK, 'WEB_SOCKET'] },
  ),
  attempt(
    'sends a datagram',
    ({ udpPort }) =>
      new Promise((resolve, reject) => {
        const socket = createSocket('udp4').on('error', reject);
        socket.send('x', udpPort, '127.0.0.1', (error) => (error ? reject(error) : resolve('sent')));
      }),
    kernel,
  ),
  attempt(
    'listens for datagrams',
    () =>
      new Promise((resolve, reject) => {
        createSocket('udp4')
          .on('error', reject)
          .bind(0, '127.0.0.1', () => resolve('bound'));
      }),
    kernel,
  ),
  attempt(
    'asks its own name server',
    ({ udpPort }) => {
      const resolver = new Resolver({ timeout: 200, tries: 1 });
      resolver.setServers([`127.0.0.1:${udpPort}`]);
      return resolver.resolve4('secret.example');
    },
    { native: [...BY_KERNEL_NETWORK, 'ETIMEOUT', 'ECONNREFUSED'] },
  ),
  attempt('looks a name up', () => dns.lookup('secret.example'), {
    native: ['EAI_AGAIN', 'ENOTFOUND', 'EPERM', 'EAI_FAIL'],
  }),
  attempt(
    'listens',
    () =>
      new Promise((resolve, reject) => {
        const server = createServer().on('error', reject);
        server.listen(0, () => resolve('listens'));
      }),
    kernel,
  ),
  attempt(
    'listens on a path',
    ({ openFolder }) =>
      new Promise((resolve, reject) => {
        createServer()
          .on('error', reject)
          .listen(`${openFolder}/own.sock`, () => resolve('listens'));
      }),
    kernel,
  ),
  attempt('connects to the database by its path', ({ socketPath }) => reach({ path: socketPath }), kernel),
  attempt('connects to an abstract socket', ({ abstractName }) => reach({ path: `\0${abstractName}` }), kernel),
];

function rootCode(event: Event): string {
  let error = (event as ErrorEvent).error as (Error & { code?: string }) | undefined;
  while (error && !error.code && error.cause) error = error.cause as Error & { code?: string };
  return error?.code ?? 'WEB_SOCKET';
}
