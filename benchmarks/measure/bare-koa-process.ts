import type { AddressInfo } from 'node:net';
import Koa from 'koa';

/** The answer that the plugin gives, from a handler that does nothing else. */
export interface Answer {
  status: number;
  contentType: string;
  body: string;
}

process.once('message', ({ status, contentType, body }: Answer) => {
  const app = new Koa();
  app.use((ctx) => {
    ctx.status = status;
    ctx.set('Content-Type', contentType);
    ctx.body = body;
  });
  const server = app.listen(0, '127.0.0.1', () => {
    process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
  });
});
process.once('disconnect', () => process.exit());
