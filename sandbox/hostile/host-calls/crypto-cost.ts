import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'has the host stretch passwords that it cannot pay for',
  code: jobIn(`
    const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
    const derive = (iterations) => crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations }, key, 256).then(() => 'done', (error) => error.code || error.name);
    return Promise.all([derive(1_000_000), derive(1e9), derive(0), derive(50_000), derive(50_000), derive(10)]);`),
  ends: {
    answers: ['crypto-cpu-exhausted', 'OperationError', 'OperationError', 'done', 'crypto-cpu-exhausted', 'done'],
  },
} satisfies Attack;
