import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'parses a body of half a million fields',
  code: jobIn(`
    const text = 'a=b&'.repeat(5e5);
    const form = await new Response(text, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }).formData();
    for (;;) for (const [name] of form) form.set(name, 'c');`),
  ends: ['heap-limit', 'cpu-limit'],
  limits: { cpuMs: 200 },
} satisfies Attack;
