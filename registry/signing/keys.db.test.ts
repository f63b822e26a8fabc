import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { keyIdOf } from '../../plugins-sdk/contract/index.ts';
import type { Principal } from '../index.ts';
import { refusalOf, type TestRegistry, testRegistry } from '../test-registry.ts';

const pair = () => generateKeyPairSync('ed25519');
const pemOf = (key: ReturnType<typeof pair>['publicKey']) => key.export({ type: 'spki', format: 'pem' }) as string;

describe('publisher keys', () => {
  let test: TestRegistry;
  let acme: Principal;
  let rival: Principal;
  before(async () => {
    test = await testRegistry();
    acme = await test.organisation('acme', 'publisher', 'publisher');
    rival = await test.organisation('rival', 'publisher', 'publisher');
  });
  after(() => test.database.close());

  it('registers an Ed25519 key under the digest of its DER form', async () => {
    const { publicKey } = pair();
    const key = await test.registry.registerKey(acme, { publicKeyPem: pemOf(publicKey), label: 'laptop' });
    expect(key).to.include({ keyId: keyIdOf(publicKey), label: 'laptop', revokedAt: null });
    expect(await test.registry.listKeys(acme)).to.deep.include(key);
    expect(await test.registry.listKeys(rival)).to.deep.equal([]);
  });

  it('gives the stored key when it comes again, written differently and under another label', async () => {
    const publicKeyPem = pemOf(pair().publicKey);
    const first = await test.registry.registerKey(acme, { publicKeyPem, label: 'one' });
    const again = await test.registry.registerKey(acme, {
      publicKeyPem: publicKeyPem.replace(/\n/g, '\r\n'),
      label: 'two',
    });
    expect(again).to.deep.equal(first);
  });

  it('refuses a key that another publisher has registered', async () => {
    const publicKeyPem = pemOf(pair().publicKey);
    await test.registry.registerKey(acme, { publicKeyPem, label: 'x' });
    expect((await refusalOf(test.registry.registerKey(rival, { publicKeyPem, label: 'x' }))).code).to.equal(
      'key-taken',
    );
  });

  it('refuses what is not an Ed25519 public key', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' });
    const x25519 = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' });
    for (const publicKeyPem of ['', 'nonsense', '\0', rsa as string, x25519 as string]) {
      expect((await refusalOf(test.registry.registerKey(acme, { publicKeyPem, label: 'x' }))).code).to.equal(
        'key-invalid',
      );
    }
  });

  it('refuses a private key and says so, instead of taking its public half', async () => {
    const publicKeyPem = pair().privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const refusal = await refusalOf(test.registry.registerKey(acme, { publicKeyPem, label: 'x' }));
    expect(refusal.code).to.equal('key-invalid');
    expect(refusal.message).to.contain('private key');
  });
});
