import { expect } from 'chai';
import fc from 'fast-check';
import { isWithin, rangeOf, whySpecial } from './special-ranges.ts';

/** First and last address of every range that is not the public internet, and what a cloud or a carrier puts there. */
const REFUSED = [
  ...[
    '0.0.0.0',
    '0.255.255.255',
    '10.0.0.0',
    '10.255.255.255',
    '100.64.0.0',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.255',
  ],
  ...[
    '169.254.0.1',
    '169.254.169.254',
    '169.254.170.2',
    '168.63.129.16',
    '172.16.0.0',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.0.192',
    '192.0.2.1',
  ],
  ...['192.88.99.1', '192.168.0.0', '192.168.255.255', '198.18.0.0', '198.19.255.255', '198.51.100.7', '203.0.113.9'],
  ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255', '100.100.100.200'],
  ...[
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:8.8.8.8',
    '64:ff9b::10.0.0.1',
    '64:ff9b::a00:1',
  ],
  ...[
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:0:7f00:1::',
    '2001:db8::1',
    '2002:7f00:1::',
    '2002:a00:1::1',
    '3fff::1',
  ],
  ...[
    'fc00::1',
    'fd00:ec2::254',
    'fdff:ffff::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'ff0e::1',
    '4000::1',
    'e000::1',
  ],
];
const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
].concat(
  [
    '172.15.255.255',
    '172.32.0.0',
    '191.255.255.255',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
  ],
  ['2606:4700:4700::1111', '2001:4860:4860::8888', '2a00:1450:4001::200e', '2620:fe::fe'],
);

const octet = fc.integer({ min: 0, max: 255 });
const hex = (value: number) => value.toString(16);

describe('whySpecial', () => {
  it('names what is not the public internet, and nothing else', () => {
    expect(REFUSED.filter((address) => whySpecial(address) === null)).to.deep.equal([]);
    expect(PUBLIC.filter((address) => whySpecial(address) !== null)).to.deep.equal([]);
  });

  it('refuses what is no address as the system writes them', () => {
    const odd = [
      '',
      'localhost',
      '127.1',
      '0x7f.0.0.1',
      '0177.0.0.1',
      '2130706433',
      '1.2.3.4.5',
      '[::1]',
      '8.8.8.8 ',
      '8.8.8.8/32',
    ];
    expect(odd.map(whySpecial)).to.deep.equal(odd.map(() => 'not an address'));
  });

  it('refuses every private IPv4 address in all the notations that IPv6 and URLs have for it', () => {
    const inside = fc.oneof(
      fc.tuple(fc.constantFrom(0, 10, 127), octet, octet, octet),
      fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
      fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
      fc.tuple(fc.integer({ min: 224, max: 255 }), octet, octet, octet),
    );
    fc.assert(
      fc.property(inside, ([a, b, c, d]) => {
        const number = ((a * 256 + b) * 256 + c) * 256 + d;
        const [high, low] = [hex(a * 256 + b), hex(c * 256 + d)];
        const asHosts = [
          `${a}.${b}.${c}.${d}`,
          `${number}`,
          `0x${hex(number)}`,
          `0x${hex(a)}.0x${hex(b)}.0x${hex(c)}.0x${hex(d)}`,
          `0${a.toString(8)}.0${b.toString(8)}.0${c.toString(8)}.0${d.toString(8)}`,
          `${a}.${b}.${c * 256 + d}`,
          `${a}.${number % 2 ** 24}`,
          `[::ffff:${high}:${low}]`,
          `[::ffff:${a}.${b}.${c}.${d}]`,
          `[64:ff9b::${high}:${low}]`,
          `[2002:${high}:${low}::]`,
          `[::${high}:${low}]`,
        ];
        for (const host of asHosts) {
          const { hostname } = new URL(`https://${host}/`);
          expect(whySpecial(hostname.replace(/^\[(.*)\]$/, '$1')), host).to.be.a('string');
        }
      }),
    );
  });
});

describe('rangeOf', () => {
  it('takes addresses and ranges of both families', () => {
    const list = [rangeOf('10.1.0.0/16'), rangeOf('127.0.0.1'), rangeOf('fd12::/16')];
    expect(['10.1.2.3', '127.0.0.1', 'fd12::9'].every((address) => isWithin(list, address))).to.equal(true);
    expect(['10.2.0.1', '127.0.0.2', 'fd13::1', 'nonsense'].some((address) => isWithin(list, address))).to.equal(false);
  });

  it('refuses what is neither', () => {
    for (const text of ['', 'localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::/129', '10.0.0/8']) {
      expect(() => rangeOf(text), text).to.throw(RangeError);
    }
  });
});
