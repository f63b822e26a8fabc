import { isIPv6 } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { addressKey } from './address-key.ts';

describe('addressKey', () => {
  it('is an IPv4 address itself, and the /64 of an IPv6 address', () => {
    expect(addressKey('203.0.113.9')).to.equal('203.0.113.9');
    expect(addressKey('2001:db8:1:2:3:4:5:6')).to.equal('2001:db8:1:2::/64');
    expect(addressKey('2001:0DB8::1')).to.equal('2001:db8:0:0::/64');
    expect(addressKey('::1')).to.equal('0:0:0:0::/64');
    expect(addressKey('1::')).to.equal('1:0:0:0::/64');
    expect(addressKey('fe80::1%eth0')).to.equal('fe80:0:0:0::/64');
    expect(addressKey('64:ff9b::192.0.2.1')).to.equal('64:ff9b:0:0::/64');
    expect(addressKey('1:2:3:4:5:6:192.0.2.1')).to.equal('1:2:3:4::/64');
  });

  it('is whatever else it is given', () => {
    expect(addressKey('')).to.equal('');
    expect(addressKey('::nonsense')).to.equal('::nonsense');
  });

  it('is the same for every address of a network, however it is written', () => {
    fc.assert(
      fc.property(fc.ipV6().filter(isIPv6), fc.ipV6().filter(isIPv6), (one, other) => {
        const network = addressKey(one).replace('::/64', '');
        expect(addressKey(`${network}:1:2:3:4`)).to.equal(addressKey(one));
        expect(addressKey(`${network}::`)).to.equal(addressKey(one));
        expect(isIPv6(`${network}::`)).to.equal(true);
        if (addressKey(other) !== addressKey(one)) expect(other).not.to.equal(one);
      }),
    );
  });
});
