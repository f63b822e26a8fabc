import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'reaches for topics, plugins and links that its manifest does not name',
  code: jobIn(String.raw`
    const codes = [];
    const attempt = async (call) => codes.push(await call().then(() => 'done', (error) => error.code));
    await attempt(() => ctx.events.publish('order.paid', {}));
    await attempt(() => ctx.events.publish('__proto__', {}));
    await attempt(() => ctx.events.publish('item.sold', 'x'.repeat(100_000)));
    await attempt(() => ctx.events.publish('item.sold', () => 1));
    await attempt(() => ctx.plugins.call('acme/shop', '/orders'));
    await attempt(() => ctx.plugins.call('acme/shop', '//evil.example/'));
    await attempt(() => ctx.plugins.call('acme/shop', '/a\r\nhost: evil'));
    await attempt(() => ctx.plugins.call('../shop', '/orders'));
    await attempt(() => ctx.plugins.call('acme/shop', '/', { headers: { authorization: 'Bearer x' } }));
    await attempt(() => ctx.plugins.call('acme/shop', '/', { headers: { 'x-a': 'b\r\nx-c: d' } }));
    await attempt(() => ctx.plugins.call('acme/shop', '/', { body: 'x'.repeat(2_000_000) }));
    await attempt(() => ctx.plugins.deliver('acme/shop', 'install', {}));
    await attempt(() => ctx.notify.send({ title: 'a\u0000b', text: 'x' }));
    await attempt(() => ctx.notify.send({ title: 'x', text: 'x', link: '//evil.example/' }));
    await attempt(() => ctx.notify.send({ title: 'x', text: 'x', link: '/nowhere' }));
    await attempt(() => ctx.notify.send({ title: 'x', text: 'x'.repeat(1e6) }));
    return codes;`),
  ends: {
    answers: [
      'event-topic-undeclared',
      'capability-arguments-invalid',
      'event-too-large',
      'capability-arguments-invalid',
      'dependency-undeclared',
      'dependency-undeclared',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'dependency-undeclared',
      'capability-arguments-invalid',
      'capability-arguments-invalid',
      'notify-link-unknown',
      'capability-arguments-invalid',
    ],
  },
} satisfies Attack;
