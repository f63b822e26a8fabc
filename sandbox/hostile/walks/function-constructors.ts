import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes code from strings with every kind of function',
  code: jobIn(`
    const kinds = [function () {}, async function () {}, function* () {}, async function* () {}].map((one) => one.constructor);
    const tries = kinds.flatMap((make) => [() => make('return 1')(), () => new make('return 1')()]);
    tries.push(() => Reflect.construct(Function, ['return 1'], class extends Object {}));
    return tries.map((attempt) => { try { attempt(); return 'made'; } catch (error) { return error.name; } });`),
  ends: {
    answers: [
      'EvalError',
      'EvalError',
      'EvalError',
      'EvalError',
      'EvalError',
      'EvalError',
      'EvalError',
      'EvalError',
      'EvalError',
    ],
  },
} satisfies Attack;
