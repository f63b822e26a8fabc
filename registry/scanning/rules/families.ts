/** What is looked for: one line for each family, with what its author is told to do about it. */
export const FAMILIES = {
  'dynamic-code': {
    title: 'Code that is made at run time',
    fix: 'Write the code down instead of making it from text; look a function up in an object of functions.',
  },
  'constructor-chain': {
    title: 'Reaching for Function by way of a constructor',
    fix: 'Do not go from a value to its constructor and on to Function; name the class that you need.',
  },
  'prototype-tampering': {
    title: 'Built-in prototypes are changed',
    fix: 'Leave prototypes of the language alone: write a function, or a class of your own.',
  },
  obfuscation: {
    title: 'Obfuscated or packed code',
    fix: 'Publish code that a moderator can read: neither minified, packed nor encoded.',
  },
  'hidden-characters': {
    title: 'Characters that do not show, or show as others',
    fix: 'Remove it, or write it as an escape such as \\u202e.',
  },
  'hard-coded-secret': {
    title: 'A secret in the code',
    fix: 'Revoke it now, for everybody who installs the plugin could read it; declare it under `secrets` in the manifest.',
  },
  'slow-pattern': {
    title: 'A regular expression that some text makes slow',
    fix: 'Make repetitions unambiguous, or bound the length of the text before matching it.',
  },
  undeclared: {
    title: 'Hosts or capabilities that the manifest does not declare',
    fix: 'Declare it in the manifest with the reason that operators read, or take the use of it out.',
  },
  mining: {
    title: 'Mining, busy waiting or measuring of time',
    fix: 'Take it out. To wait, await a timer; operators pay for CPU time.',
  },
  'oversized-literal': {
    title: 'Literals too large to be read',
    fix: 'Keep large tables outside of the code, for example in kv, or fetch them from a declared host.',
  },
  'dynamic-import': {
    title: 'Code that would be loaded at run time',
    fix: 'Import it statically: a release is one bundle, and nothing is loaded into it later.',
  },
  'global-tampering': {
    title: 'Globals are replaced',
    fix: 'Do not replace what the platform or the language provides; give what you make a name of its own.',
  },
  typosquatting: {
    title: 'A name that looks like another one',
    fix: 'Choose a name that nobody takes for the other one, or correct the name of the package.',
  },
  licence: {
    title: 'A licence that may not allow this',
    fix: 'Take a package under another licence, or show the moderator that you may distribute it.',
  },
  'install-behaviour': {
    title: 'Unexpected work at installation',
    fix: 'Do at installation only what the plugin needs to start; fetch, read secrets and call others when somebody asks for it.',
  },
  'host-probing': {
    title: 'Looking for a way out of the sandbox',
    fix: 'Take it out: nothing of Node.js is there, and nobody honest looks for it.',
  },
  incomplete: {
    title: 'What could not be looked at',
    fix: 'Publish plain JavaScript as `gate publish` bundles it: not nested thousands of levels deep, and not larger than its parser can hold.',
  },
} as const;

export type FamilyId = keyof typeof FAMILIES;
