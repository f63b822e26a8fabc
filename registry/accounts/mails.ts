import type { Mail } from './contract.ts';

type Text = Pick<Mail, 'subject' | 'text'>;

/** What is written to people. Names that strangers chose stand in quotes and are short. */
export const verificationMail = (username: string, code: string): Text => ({
  subject: 'Your code for Gatehouse',
  text: `Somebody registered the account "${username}" with this address.

If it was you, confirm it within a day with this code:

    ${code}

If it was not, ignore this mail: without the code the account is forgotten after a week.
`,
});

export const alreadyRegisteredMail = (username: string): Text => ({
  subject: 'You have an account at Gatehouse',
  text: `Somebody, perhaps you, wanted to register another account with this address.
You have one already: "${username}". If you have forgotten its password, ask for a new one.

If it was not you, there is nothing to do: nobody learned that you have an account.
`,
});

export const resetMail = (username: string, code: string): Text => ({
  subject: 'A new password for Gatehouse',
  text: `Somebody, perhaps you, asked for a new password of the account "${username}".

Set it within half an hour with this code:

    ${code}

If it was not you, ignore this mail: your password stays as it is.
`,
});

export const passwordChangedMail = (username: string): Text => ({
  subject: 'Your password for Gatehouse was changed',
  text: `The password of the account "${username}" was changed, and its other sessions have ended.

If it was not you, ask for a new password at once.
`,
});
