import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'leaves behind a cache of code that another installation would run',
  code: jobIn(`
    const tag = (parts) => parts;
    const site = () => tag\`same \${1} site\`;
    globalThis.sites ??= new Map();
    globalThis.sites.set(site(), (globalThis.sites.get(site()) ?? 0) + 1);
    return globalThis.sites.get(site());`),
  ends: { answers: 1 },
  later: [
    { by: 'bystander', ends: { answers: 1 } },
    { by: 'attacker', ends: { answers: 2 } },
  ],
} satisfies Attack;
