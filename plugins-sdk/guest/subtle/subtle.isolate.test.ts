import { expect } from 'chai';
import { type Json, type Manifest, sha256Hex } from '../../contract/index.ts';
import { type LocalHost, startLocalHost } from '../../local-host.ts';
import type {} from '../../secret-keys.ts';

const MANIFEST = {
  publisher: 'studio',
  name: 'keys',
  version: '1.0.0',
  description: '',
  engine: '*',
  limits: { cpuMs: 1_000, startupCpuMs: 1_000, wallMs: 60_000 },
} as unknown as Manifest;

/** The same code must answer the same in a plugin and in the platform's own implementation. */
const SAME_AS_PLATFORM: [what: string, body: string][] = [
  [
    'digests of every size',
    `const all = []; for (const name of ['SHA-1', 'SHA-256', 'sha-384', { name: 'SHA-512' }]) for (const length of [0, 3, 20000])
       all.push(hex(await subtle.digest(name, new Uint8Array(length).fill(length)))); return all`,
  ],
  [
    'HMAC',
    `const all = []; for (const hash of ['SHA-1', 'SHA-256', 'SHA-512']) {
       const key = await subtle.importKey('raw', bytes('secret'), { name: 'HMAC', hash }, true, ['sign', 'verify']);
       const signed = await subtle.sign('HMAC', key, bytes('payload'));
       all.push(hex(signed), await subtle.verify('HMAC', key, signed, bytes('payload')), await subtle.verify('HMAC', key, signed, bytes('other')),
         await subtle.exportKey('jwk', key), key.algorithm, key.usages, key.type, key.extractable) } return all`,
  ],
  [
    'AES-GCM',
    `const key = await subtle.importKey('raw', new Uint8Array(32).fill(1), 'AES-GCM', false, ['encrypt', 'decrypt']);
     const algorithm = { name: 'AES-GCM', iv: new Uint8Array(12), additionalData: bytes('more') };
     const sealed = await subtle.encrypt(algorithm, key, bytes('hello'));
     const opened = await subtle.decrypt(algorithm, key, sealed);
     const broken = await subtle.decrypt({ ...algorithm, additionalData: bytes('less') }, key, sealed).catch((error) => error.name);
     return [hex(sealed), hex(opened), broken]`,
  ],
  [
    'HKDF and PBKDF2',
    `const of = (name) => subtle.importKey('raw', bytes('password'), name, false, ['deriveBits', 'deriveKey']);
     const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: bytes('salt'), info: bytes('info') };
     const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-256', salt: bytes('salt'), iterations: 1000 };
     const key = await subtle.deriveKey(hkdf, await of('HKDF'), { name: 'AES-GCM', length: 256 }, true, ['encrypt']);
     return [hex(await subtle.deriveBits(hkdf, await of('HKDF'), 256)), hex(await subtle.deriveBits(pbkdf2, await of('PBKDF2'), 256)),
       hex(await subtle.exportKey('raw', key))]`,
  ],
  [
    'signatures of keys that came as JWK',
    `const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' };
     const { d, ...open } = jwk;
     const key = await subtle.importKey('jwk', jwk, 'Ed25519', true, ['sign']);
     const pub = await subtle.importKey('jwk', open, 'Ed25519', true, ['verify']);
     const signed = await subtle.sign('Ed25519', key, bytes('payload'));
     return [hex(signed), await subtle.verify('Ed25519', pub, signed, bytes('payload')), hex(await subtle.exportKey('raw', pub)), (await subtle.exportKey('jwk', key)).d]`,
  ],
  [
    'pairs that were generated, and their round trips',
    `const all = []; for (const algorithm of [{ name: 'Ed25519' }, { name: 'ECDSA', namedCurve: 'P-256' }, { name: 'ECDSA', namedCurve: 'P-384' }]) {
       const { publicKey, privateKey } = await subtle.generateKey(algorithm, false, ['sign', 'verify']);
       const how = { ...algorithm, hash: 'SHA-256' };
       const signed = await subtle.sign(how, privateKey, bytes('payload'));
       const again = await subtle.importKey('spki', await subtle.exportKey('spki', publicKey), algorithm, true, ['verify']);
       all.push(await subtle.verify(how, again, signed, bytes('payload')), publicKey.usages, privateKey.usages, privateKey.extractable, publicKey.extractable,
         await subtle.exportKey('pkcs8', privateKey).catch((error) => error.name)) } return all`,
  ],
  [
    'keys that are wrapped by others',
    `const how = { name: 'AES-GCM', iv: new Uint8Array(12) };
     const outer = await subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', false, ['wrapKey', 'unwrapKey']);
     const inner = await subtle.importKey('raw', bytes('secret'), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
     const all = []; for (const format of ['raw', 'jwk']) {
       const wrapped = await subtle.wrapKey(format, inner, outer, how);
       const again = await subtle.unwrapKey(format, wrapped, outer, how, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
       all.push(format === 'raw' ? hex(wrapped) : '', hex(await subtle.exportKey('raw', again))) }
     return [...all, await subtle.encrypt(how, outer, bytes('')).catch((error) => error.name)]`,
  ],
  [
    'symmetric keys of JWK, and for what they are not',
    `const key = (alg) => ({ kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', ...alg && { alg } });
     const all = []; for (const alg of [undefined, 'HS256', 'HS512', 'A128GCM', 'A256GCM', '']) for (const algorithm of [{ name: 'HMAC', hash: 'SHA-256' }, 'AES-GCM'])
       all.push(await subtle.importKey('jwk', key(alg), algorithm, true, [algorithm.hash ? 'sign' : 'encrypt']).then(({ type }) => type, (error) => error.name)); return all`,
  ],
  [
    'refusals',
    `const name = (promise) => promise.then(() => 'done', (error) => error.name);
     const key = await subtle.importKey('raw', bytes('secret'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
     return Promise.all([subtle.digest('MD5', bytes('')), subtle.digest('SHA-256', 'text'), subtle.verify('HMAC', key, bytes(''), bytes('')), subtle.sign('Ed25519', key, bytes('')),
       subtle.exportKey('raw', key), subtle.importKey('raw', bytes('short'), 'AES-GCM', true, ['encrypt']), subtle.importKey('raw', bytes('secret'), { name: 'HMAC', hash: 'SHA-256' }, false, []),
       subtle.importKey('raw', bytes('x'), 'HKDF', true, ['deriveBits']), subtle.generateKey({ name: 'AES-GCM', length: 100 }, true, ['encrypt']), subtle.importKey('jwk', { kty: 'OKP', crv: 'Ed25519', x: 'AA' }, 'Ed25519', true, ['verify'])].map(name))`,
  ],
];

const PROLOGUE = `const { subtle } = crypto; const bytes = (text) => new TextEncoder().encode(text);
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');`;
const AsyncFunction = (async () => {}).constructor as new (body: string) => () => Promise<unknown>;

describe('crypto.subtle of plugins', () => {
  let host: LocalHost;
  before(async () => {
    host = await startLocalHost({ operator: { id: 'op', slug: 'arcade' }, newSeed: () => 'ab'.repeat(32) });
  });
  after(() => host.close());

  const run = async (body: string): Promise<{ value: Json }> => {
    const code = `__gatehouse_define({ schedule: { run: async () => { ${PROLOGUE} ${body} } } });`;
    const installation = host.install({ manifest: MANIFEST, code, digest: sha256Hex(code) });
    const job = { kind: 'schedule', name: 'run', dueAt: new Date(0).toISOString() } as const;
    const { output } = await host.runPlugin(installation, job, { caller: null });
    return { value: (output as { value: Json }).value };
  };

  for (const [what, body] of SAME_AS_PLATFORM) {
    it(`answers as the platform's own: ${what}`, async () => {
      const platform = JSON.parse(JSON.stringify(await new AsyncFunction(`${PROLOGUE} ${body}`)()));
      expect((await run(body)).value).to.deep.equal(platform);
    });
  }

  it('draws keys from the seed of the invocation, so that a replay makes them again', async () => {
    const body = `const keys = await Promise.all([{ name: 'HMAC', hash: 'SHA-256' }, { name: 'AES-GCM', length: 256 }].map((each) => subtle.generateKey(each, true, each.length ? ['encrypt'] : ['sign'])));
      const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
      return [...await Promise.all(keys.map(async (key) => hex(await subtle.exportKey('raw', key)))), (await subtle.exportKey('jwk', pair.privateKey)).d]`;
    const [first, second] = [await run(body), await run(body)];
    expect(first.value).to.deep.equal(second.value);
    expect(new Set(first.value as string[]).size).to.equal(3);
  });

  it('has no key for a secret that was not granted', async () => {
    // Written as an author writes it, so that its types are checked too.
    const importSecret = () =>
      crypto.subtle.importKey('raw', { secret: 'SIGNING_KEY' }, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    const body = `return (${importSecret})().catch((error) => error.code)`;
    expect((await run(body)).value).to.equal('crypto-key-refused');
  });
});
