import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'has the host digest a mebibyte as often as it can',
  code: jobIn(`
    const input = new Uint8Array(1024 * 1024);
    const all = [];
    for (let at = 0; at < 1000; at += 1) all.push(crypto.subtle.digest('SHA-512', input).catch((error) => error.code ?? error.name));
    await Promise.all(all);
    return 'done';`),
  ends: ['host-call-limit', 'cpu-limit', 'heap-limit'],
} satisfies Attack;
