import { expect } from 'chai';

/** What a call was refused with; fails the test where it was not. */
export const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('was not refused'),
    (error) => error,
  );
