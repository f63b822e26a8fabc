import { createHmac, generateKeyPairSync, sign, webcrypto } from 'node:crypto';
import { expect } from 'chai';
import { DEFAULT_LIMITS, type HostCallName, type Manifest } from '../../plugins-sdk/contract/index.ts';
import { memorySecrets } from '../secrets/memory-secrets.ts';
import { createBroker } from './broker.ts';
import { closedPorts } from './closed-ports.ts';
import { capabilityCalls } from './compose.ts';
import { memoryKvStore } from './memory-kv-store.ts';
import { cryptoCostMs } from './rules/crypto-cost.ts';
import { testScope } from './test-scope.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const VALUES = {
  SIGNING_KEY: 'whsec_something',
  PEM_KEY: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  HEADER_KEY: 'sent in a header',
  NO_KEY: 'private text that is no key',
  KEPT_KEY: JSON.stringify({ ...privateKey.export({ format: 'jwk' }), ext: false, key_ops: ['sign'] }),
};
const MANIFEST = {
  name: 'arcade',
  secrets: [
    { name: 'SIGNING_KEY', reason: 'Signs.' },
    { name: 'PEM_KEY', reason: 'Signs.' },
    { name: 'NO_KEY', reason: 'Signs.' },
    { name: 'KEPT_KEY', reason: 'Signs.' },
    { name: 'MISSING_KEY', reason: 'Signs.' },
    { name: 'HEADER_KEY', reason: 'Sent.', send: { hosts: ['api.example.com'], header: 'authorization' } },
  ],
} as unknown as Manifest;

const base64 = (value: string | Uint8Array) => Buffer.from(value as string).toString('base64');
const HMAC = { name: 'HMAC', hash: 'SHA-256' };
const NO_KEY = 'The bytes are no pkcs8 key of the algorithm';

const tlv = (tag: number, ...parts: Buffer[]): Buffer => {
  const { length } = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 255]), ...parts]);
};
/** A private key in PKCS #8 (RFC 8017), whatever its numbers are. */
function rsaDer(jwk: webcrypto.JsonWebKey): Buffer {
  const zero = Buffer.from('020100', 'hex');
  const numbers = [jwk.n, jwk.e, jwk.d, jwk.p, jwk.q, jwk.dp, jwk.dq, jwk.qi].map((number) =>
    tlv(2, Buffer.concat([Buffer.alloc(1), Buffer.from(number!, 'base64url')])),
  );
  return tlv(0x30, zero, Buffer.from('300d06092a864886f70d0101010500', 'hex'), tlv(4, tlv(0x30, zero, ...numbers)));
}

describe('crypto.subtle, as far as the host computes it', () => {
  const used: string[] = [];
  const broker = createBroker({
    calls: capabilityCalls({
      kvStore: memoryKvStore(Date.now),
      ...closedPorts(),
      secrets: memorySecrets(() => VALUES),
    }),
    onOutage: (error) => {
      throw error;
    },
    onUse: (_id, capability) => used.push(capability),
  });
  const asks = async (name: HostCallName, args: unknown, { grants = [] as 'secrets'[], cpuMs = 50 } = {}) => {
    const scope = testScope({ grants, manifest: MANIFEST, limits: { ...DEFAULT_LIMITS, cpuMs } });
    const { ok, json } = await broker(scope, {
      invocationId: 'v',
      installationId: 'i',
      seq: 1,
      name,
      args: JSON.stringify(args),
    });
    return { ok, value: JSON.parse(json), scope };
  };

  it('needs no grant, and is billed by a tariff', async () => {
    const { ok, value, scope } = await asks('crypto.digest', { hash: 'SHA-512', input: base64('abc') });
    expect(ok).to.equal(true);
    expect(value.output).to.equal(base64(new Uint8Array(await webcrypto.subtle.digest('SHA-512', Buffer.from('abc')))));
    expect(scope.hostCpuMs).to.be.closeTo(cryptoCostMs({ algorithm: 'SHA-512', operation: 'digest', bytes: 3 }), 0.001);
  });

  it('is billed for what it reads besides its input', async () => {
    const mebibyte = base64(new Uint8Array(1024 * 1024));
    const aes = { format: 'raw', bytes: base64(new Uint8Array(16)) };
    const seal = async (additionalData: string, input: string) => {
      const algorithm = { name: 'AES-GCM', iv: base64('123456789012'), additionalData };
      return (await asks('crypto.encrypt', { algorithm, key: aes, input })).scope.hostCpuMs;
    };
    expect(await seal(mebibyte, '')).to.equal(await seal('', mebibyte));
    const stretch = async (name: string, field: 'salt' | 'info', bytes: number) => {
      const own = name === 'PBKDF2' ? { iterations: 1 } : { info: '' };
      const algorithm = { name, hash: 'SHA-1', salt: '', ...own, [field]: base64(new Uint8Array(bytes)) };
      const { value, scope } = await asks('crypto.derive', { algorithm, key: aes, bits: 40_800 });
      expect(value.output).to.be.a('string');
      return scope.hostCpuMs;
    };
    // 255 blocks, each of which reads it all.
    expect((await stretch('PBKDF2', 'salt', 12_000)) - (await stretch('PBKDF2', 'salt', 0))).to.be.above(8);
    expect((await stretch('HKDF', 'info', 1_000)) - (await stretch('HKDF', 'info', 0))).to.be.above(0.7);
    expect(await stretch('HKDF', 'salt', 0)).to.be.above(0.2);
  });

  it('does not begin what the invocation cannot pay', async () => {
    const key = { format: 'raw', bytes: base64('password') };
    const algorithm = { name: 'PBKDF2', hash: 'SHA-256', salt: base64('salt'), iterations: 1_000_000 };
    const { value, scope } = await asks('crypto.derive', { algorithm, key, bits: 256 });
    expect(value.code).to.equal('crypto-cpu-exhausted');
    expect(scope.hostCpuMs).to.equal(0);
    expect((await asks('crypto.derive', { algorithm, key, bits: 256 }, { cpuMs: 1_000 })).ok).to.equal(true);
  });

  it('answers what Web Crypto refuses with its error', async () => {
    const key = { format: 'raw', bytes: base64('short') };
    const { ok, value } = await asks('crypto.encrypt', {
      algorithm: { name: 'AES-GCM', iv: base64('123456789012') },
      key,
      input: '',
    });
    expect(ok).to.equal(true);
    expect(value.error.name).to.equal('DataError');
  });

  it('refuses inputs over a mebibyte', async () => {
    const { value } = await asks('crypto.digest', { hash: 'SHA-1', input: 'A'.repeat(1_400_000) });
    expect(value.code).to.equal('capability-arguments-invalid');
  });

  it('signs with secrets that the plugin never sees, and notes the use', async () => {
    used.length = 0;
    const key = { format: 'raw', secret: 'SIGNING_KEY' };
    const signed = await asks(
      'crypto.sign',
      { algorithm: HMAC, key, input: base64('payload') },
      { grants: ['secrets'] },
    );
    expect(signed.value.output).to.equal(createHmac('sha256', VALUES.SIGNING_KEY).update('payload').digest('base64'));
    expect(used).to.deep.equal(['secrets']);
    const pem = { format: 'pkcs8', secret: 'PEM_KEY' };
    const imported = await asks('crypto.import', { algorithm: { name: 'Ed25519' }, ...pem }, { grants: ['secrets'] });
    expect(imported.value).to.deep.equal({ type: 'private', algorithm: { name: 'Ed25519' } });
    const edSigned = await asks(
      'crypto.sign',
      { algorithm: { name: 'Ed25519' }, key: pem, input: base64('payload') },
      { grants: ['secrets'] },
    );
    expect(edSigned.value.output).to.equal(sign(null, Buffer.from('payload'), privateKey).toString('base64'));
    expect(publicKey.type).to.equal('public');
  });

  it('signs with a secret that is a JWK which may not be exported', async () => {
    const key = { algorithm: { name: 'Ed25519' }, format: 'jwk', secret: 'KEPT_KEY' };
    const { value } = await asks('crypto.import', key, { grants: ['secrets'] });
    expect(value).to.deep.equal({ type: 'private', algorithm: { name: 'Ed25519' } });
  });

  for (const [what, secret, grants, code] of [
    ['without the grant', 'SIGNING_KEY', [], 'crypto-key-refused'],
    ['that is sent in headers', 'HEADER_KEY', ['secrets'], 'crypto-key-refused'],
    ['that is not declared', 'OTHER_KEY', ['secrets'], 'secret-undeclared'],
    ['that nobody has entered', 'MISSING_KEY', ['secrets'], 'secret-missing'],
  ] as const) {
    it(`refuses a secret ${what}`, async () => {
      const key = { format: 'raw', secret };
      const { ok, value } = await asks('crypto.sign', { algorithm: HMAC, key, input: '' }, { grants: [...grants] });
      expect([ok, value.code]).to.deep.equal([false, code]);
    });
  }

  it('does not quote a secret that is no key', async () => {
    for (const format of ['jwk', 'pkcs8', 'spki']) {
      const { value } = await asks(
        'crypto.import',
        { algorithm: { name: 'Ed25519' }, format, secret: 'NO_KEY' },
        { grants: ['secrets'] },
      );
      expect(value).to.deep.equal({
        code: 'crypto-key-refused',
        message: `The secret NO_KEY is no ${format} key for Ed25519.`,
      });
    }
  });

  it('takes no RSA key that would cost it seconds', async () => {
    const { publicKey: small } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const jwk = small.export({ format: 'jwk' }) as { kty: string; n: string; e: string };
    const asksFor = (changed: object) =>
      asks('crypto.import', {
        algorithm: { name: 'RSA-PSS', hash: 'SHA-256' },
        format: 'jwk',
        jwk: { ...jwk, ...changed },
      });
    expect((await asksFor({})).value.algorithm.modulusLength).to.equal(2_048);
    expect((await asksFor({ e: 'AQAAAAAAAQ' })).value.error.name).to.equal('NotSupportedError');
    const large = Buffer.alloc(1_000, 0xab).toString('base64url');
    expect((await asksFor({ n: large })).value.error.name).to.be.oneOf(['NotSupportedError', 'DataError']);
    expect((await asksFor({ n: 'A'.repeat(3_000) })).value.code).to.equal('capability-arguments-invalid');
  });

  it('signs with RSA keys of two primes of half their size, and not with what takes longer', async () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const honest = pair.privateKey.export({ format: 'jwk' });
    const signsWith = async (changed: object, name: string) => {
      const key = { format: 'pkcs8', bytes: rsaDer({ ...honest, ...changed }).toString('base64') };
      const algorithm = { name, hash: 'SHA-256', ...(name === 'RSA-PSS' && { saltLength: 32 }) };
      const input = base64('payload');
      const { value } = await asks('crypto.sign', { algorithm, key, input });
      if (value.error) return [value.error.name, (await asks('crypto.import', { algorithm, ...key })).value.error.name];
      const spki = pair.publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
      const checked = { algorithm, key: { format: 'spki', bytes: spki }, signature: value.output, input };
      return (await asks('crypto.verify', checked)).value.valid;
    };
    for (const name of ['RSASSA-PKCS1-v1_5', 'RSA-PSS']) expect(await signsWith({}, name)).to.equal(true);
    const { n, p, q, dp } = honest;
    for (const changed of [{ p: n, q: n, dp: n, dq: n }, { dp: n }, { dq: dp }, { p: q, q: p }, { p: q }, { qi: p }]) {
      expect(await signsWith(changed, 'RSA-PSS')).to.deep.equal(['DataError', 'DataError']);
    }
  });

  it('reads no key but one of the algorithm that was billed', async () => {
    const curves = ['P-256', 'P-384', 'P-521'].map((namedCurve) => {
      const pair = generateKeyPairSync('ec', { namedCurve });
      return { namedCurve, bytes: pair.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64') };
    });
    for (const { bytes, namedCurve: real } of curves) {
      const key = { format: 'pkcs8', bytes };
      for (const { namedCurve } of curves) {
        const algorithm = { name: 'ECDSA', hash: 'SHA-256', namedCurve };
        const { value } = await asks('crypto.sign', { algorithm, key, input: '' });
        if (real === namedCurve) expect(value.output).to.be.a('string');
        else expect(value.error).to.deep.equal({ name: 'DataError', message: NO_KEY });
      }
      for (const name of ['Ed25519', 'RSA-PSS']) {
        const { value } = await asks('crypto.import', { algorithm: { name, hash: 'SHA-256' }, ...key });
        expect(value.error.message).to.equal(NO_KEY);
      }
    }
  });

  it('never exports a secret', async () => {
    const { value } = await asks(
      'crypto.export',
      { algorithm: HMAC, key: { format: 'raw', secret: 'SIGNING_KEY' }, format: 'raw' },
      { grants: ['secrets'] },
    );
    expect(value.code).to.equal('capability-arguments-invalid');
  });

  it('makes the same pair of the same seed', async () => {
    for (const algorithm of [
      { name: 'Ed25519' },
      { name: 'ECDSA', namedCurve: 'P-256' },
      { name: 'ECDSA', namedCurve: 'P-384' },
    ]) {
      const seed = base64(new Uint8Array(48).fill(9));
      const [one, other] = [
        await asks('crypto.generate', { algorithm, seed }),
        await asks('crypto.generate', { algorithm, seed }),
      ];
      expect(one.value.privateKey).to.be.a('string').and.equal(other.value.privateKey);
      const input = base64('signed');
      const hash = 'SHA-256';
      const signed = await asks('crypto.sign', {
        algorithm: { ...algorithm, hash },
        key: { format: 'pkcs8', bytes: one.value.privateKey },
        input,
      });
      const verified = await asks('crypto.verify', {
        algorithm: { ...algorithm, hash },
        key: { format: 'spki', bytes: one.value.publicKey },
        signature: signed.value.output,
        input,
      });
      expect(verified.value).to.deep.equal({ valid: true });
    }
  });

  it('says that a seed is no private key', async () => {
    const seed = base64(new Uint8Array(32).fill(255));
    const { value } = await asks('crypto.generate', { algorithm: { name: 'ECDSA', namedCurve: 'P-256' }, seed });
    expect(value.error.name).to.equal('OperationError');
  });
});
