// biome-ignore lint/suspicious/noControlCharactersInRegex: entries cannot have control characters in their names.
const RESERVED = /[%/\u0000-\u001f]/g;

/** A text as one segment of an entry's name: without slashes, so that no product can reach into another one's entries. */
export const segment = (text: string): string =>
  text.replace(RESERVED, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** The text that a segment stands for. */
export const textOf = (part: string): string =>
  part.replace(/%([0-9a-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
