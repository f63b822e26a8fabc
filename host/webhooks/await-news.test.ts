import { expect } from 'chai';
import { createNews } from './await-news.ts';

describe('news', () => {
  it('wakes everybody who waits, and nobody twice', async () => {
    const news = createNews();
    const waits = [news.wait('a', 60_000), news.wait('b', 60_000)];
    news.tell();
    expect(await Promise.all(waits)).to.deep.equal([true, true]);
    news.tell();
  });

  it('lets eight of one organisation wait, and others all the same', async () => {
    const news = createNews();
    const waits = Array.from({ length: 8 }, () => news.wait('a', 60_000));
    expect(await news.wait('a', 60_000)).to.equal(false);
    const other = news.wait('b', 60_000);
    news.tell();
    await Promise.all(waits);
    expect(await other).to.equal(true);
    // Those who have gone count no more.
    expect(await news.wait('a', 1)).to.equal(true);
  });

  it('ends with the time, with the client, and with the host', async () => {
    const news = createNews();
    expect(await news.wait('a', 1)).to.equal(true);
    const client = new AbortController();
    const waiting = news.wait('a', 60_000, client.signal);
    client.abort();
    expect(await waiting).to.equal(false);
    expect(await news.wait('a', 60_000, client.signal)).to.equal(false);
    const last = news.wait('a', 60_000);
    news.close();
    expect(await last).to.equal(false);
    expect(await news.wait('a', 60_000)).to.equal(false);
  });
});
