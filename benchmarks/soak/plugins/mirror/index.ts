import { definePlugin } from '@gatehouse/plugin-sdk';
import { checksum } from './checksum.ts';

export default definePlugin({
  routes: {
    'POST /mirror': async (request) => {
      const bytes = new Uint8Array(await request.arrayBuffer());
      return new Response(bytes, {
        headers: { 'content-type': 'application/octet-stream', 'x-checksum': String(checksum(bytes)) },
      });
    },
  },
});
