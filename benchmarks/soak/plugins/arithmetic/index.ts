import { definePlugin } from '@gatehouse/plugin-sdk';
import { mix, ROUNDS } from './mix.ts';

export default definePlugin({
  routes: { 'GET /mix/:number': (_request, { params }) => ({ mixed: mix(Number(params.number), ROUNDS) }) },
});
