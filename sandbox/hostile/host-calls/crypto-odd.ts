import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'gives crypto.subtle arguments that are none',
  code: jobIn(`
    const { subtle } = crypto;
    const name = (run) => Promise.resolve().then(run).then(() => 'done', (error) => error.code || error.name);
    const key = await subtle.importKey('raw', new Uint8Array(8), { name: 'HMAC', hash: 'SHA-512' }, false, ['sign']);
    const changing = { reads: 0, get name() { this.reads += 1; return this.reads > 1 ? 'AES-GCM' : 'HMAC'; } };
    return Promise.all([
      () => subtle.digest({ name: { toString() { throw new RangeError('planted'); } } }, new Uint8Array(1)),
      () => subtle.digest('SHA-512', new Uint8Array(2 ** 21)),
      () => subtle.sign(changing, key, new Uint8Array(1)),
      () => subtle.sign('HMAC', { __proto__: Object.getPrototypeOf(key), algorithm: { name: 'HMAC' }, usages: ['sign'] }, new Uint8Array(1)),
      () => subtle.sign.call({}, 'HMAC', key, new Uint8Array(1)),
      () => subtle.importKey('raw', { secret: 'x'.repeat(1e5) }, { name: 'HMAC', hash: 'SHA-512' }, false, ['sign']),
      () => subtle.importKey('jwk', { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(1e5), d: 'B' }, 'Ed25519', false, ['sign']),
      () => subtle.importKey('raw', new Uint8Array(2 ** 20), 'HKDF', false, ['deriveBits']).then((big) => subtle.deriveBits({ name: 'HKDF', hash: 'SHA-1', salt: new Uint8Array(), info: new Uint8Array() }, big, 8)),
      () => new crypto.subtle.constructor({}),
      () => Reflect.construct(key.constructor, [{}, { material: {} }]),
    ].map(name));`),
  ends: {
    answers: [
      'RangeError',
      'OperationError',
      'done',
      'TypeError',
      'TypeError',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'TypeError',
      'TypeError',
    ],
  },
} satisfies Attack;
