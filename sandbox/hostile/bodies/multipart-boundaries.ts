import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'parses a body that is nothing but boundaries',
  code: jobIn(`
    const text = '--b\\r\\n'.repeat(1e5);
    const name = await new Response(text, { headers: { 'content-type': 'multipart/form-data; boundary=b' } }).formData().catch((error) => error.name);
    return name;`),
  ends: { answers: 'TypeError' },
  limits: { cpuMs: 1_000 },
} satisfies Attack;
