import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { createClientAddress } from './client-address.ts';

const from = (remoteAddress: string, forwardedFor?: string) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwardedFor } }) as unknown as IncomingMessage;

describe('createClientAddress', () => {
  const proxied = createClientAddress(['10.0.0.0/8', '::1']);

  it('believes nobody where no proxy is configured', () => {
    expect(createClientAddress([])(from('203.0.113.9', '1.2.3.4'))).to.equal('203.0.113.9');
  });

  it('does not believe a stranger who sends the header', () => {
    expect(proxied(from('203.0.113.9', '1.2.3.4'))).to.equal('203.0.113.9');
  });

  it('takes the nearest hop that is no proxy, not the first one, which the client wrote', () => {
    expect(proxied(from('10.0.0.1', '6.6.6.6, 203.0.113.9, 10.0.0.2'))).to.equal('203.0.113.9');
  });

  it('reads IPv4 addresses on IPv6 sockets', () => {
    expect(proxied(from('::ffff:10.0.0.1', '203.0.113.9'))).to.equal('203.0.113.9');
  });

  it('stops at what is no address', () => {
    expect(proxied(from('10.0.0.1', 'unknown'))).to.equal('10.0.0.1');
    expect(proxied(from('::1', undefined))).to.equal('::1');
    expect(proxied(from('10.0.0.1', '203.0.113.9, <script>'))).to.equal('10.0.0.1');
  });

  it('names the setting that is no range', () => {
    for (const entry of ['proxy.example', '10.0.0.0/33', '10.0.0.0/', '300.1.1.1']) {
      expect(() => createClientAddress([entry]), entry).to.throw(`"${entry}" is not an address or a CIDR range`);
    }
  });
});
