import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'answers text that is no Unicode, where lengths could differ',
  code: jobIn(String.raw`
    console.log('\ud800\udc00\ud800');
    return ['\ud800', '\ud83d\udca9'];`),
  ends: { answers: ['\ud800', '💩'] },
} satisfies Attack;
