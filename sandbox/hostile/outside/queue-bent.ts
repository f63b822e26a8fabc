import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'sends messages to queues that are not declared, too large, or no JSON',
  code: jobIn(String.raw`
    const codes = [];
    const send = async (...args) => codes.push(await ctx.queue.send(...args).then(() => 'sent', (error) => error.code));
    const cycle = {}; cycle.cycle = cycle;
    await send('mails', 1);
    await send('../mails', 1);
    await send('mails', 'x'.repeat(100_000));
    await send('mails', { toJSON: () => '\u20ac'.repeat(30_000) });
    await send('mails', cycle);
    await send('mails', undefined);
    await send('mails', 1, { delaySeconds: 1e12 });
    await send('mails', 1, { delaySeconds: 0.5 });
    await send('mails', 1, { key: 'x'.repeat(1_000) });
    await send('mails', 1, { key: {} });
    return codes;`),
  ends: {
    answers: [
      'queue-undeclared',
      'capability-arguments-invalid',
      'queue-message-too-large',
      'queue-message-too-large',
      ...Array(6).fill('capability-arguments-invalid'),
    ],
  },
} satisfies Attack;
