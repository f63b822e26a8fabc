import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'sends a form with a million fields',
  code: jobIn(`
    const form = new FormData();
    for (let at = 0; at < 1e6; at += 1) form.append('field' + at, 'x');
    return (await new Response(form).text()).length;`),
  ends: ['heap-limit', 'cpu-limit', 'plugin-threw'],
  limits: { cpuMs: 200 },
} satisfies Attack;
