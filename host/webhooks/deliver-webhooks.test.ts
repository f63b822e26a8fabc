import { expect } from 'chai';
import { createDeliverer } from './deliver-webhooks.ts';
import type { DueDelivery } from './due-store.ts';

describe('createDeliverer', () => {
  it('takes up nothing more while it closes, and ends what it has begun', async () => {
    const due = (id: string): DueDelivery => ({
      ...{ id, endpointId: 'e', organisationId: 'o', url: 'https://example.com/', attempts: 1 },
      ...{ createdAt: new Date(0), event: null, secrets: [] },
    });
    const waiting = ['first', 'second', 'third'].map(due);
    const ended: string[] = [];
    const posted = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<{ status: number; body: Buffer }>();
    const deliverer = createDeliverer({
      store: {
        claim: async () => waiting.splice(0, 1),
        end: async ({ delivery }) => {
          ended.push(delivery.id);
          return null;
        },
        pause: async () => false,
      },
      post: () => {
        posted.resolve();
        return answered.promise;
      },
      openSecret: () => 'x',
      timeoutMs: 1,
      log: { warn() {}, error() {} },
      nowMs: () => 0,
      random: () => 0,
    });
    await deliverer.tick();
    await posted.promise;
    const closed = deliverer.close();
    answered.resolve({ status: 200, body: Buffer.alloc(0) });
    await closed;
    expect(ended).to.deep.equal(['first']);
    expect(waiting.map(({ id }) => id)).to.deep.equal(['second', 'third']);
  });
});
