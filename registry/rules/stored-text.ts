import type { DocumentFault } from '../../plugins-sdk/contract/index.ts';

/** PostgreSQL holds any Unicode text except U+0000. */
export const storedText = (text: string): string => text.replaceAll('\0', '').toWellFormed();

/** Every string of a document that could not be stored exactly: U+0000 or half of a surrogate pair in it. */
export function unstorableTexts(value: unknown, pointer = ''): DocumentFault[] {
  if (typeof value === 'string') {
    return isStorable(value) ? [] : [{ pointer, message: 'must not hold U+0000 or unpaired surrogates' }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const at = `${pointer}/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`;
    return isStorable(key)
      ? unstorableTexts(member, at)
      : [{ pointer, message: 'must not have a field whose name holds U+0000 or unpaired surrogates' }];
  });
}

const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

/** Deepest nesting of arrays and objects in a JSON text; exact for well-formed JSON. Found without parsing it. */
export function jsonDepth(text: string): number {
  let deepest = 0;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (inString) {
      if (char === '\\') at += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth);
    else if (char === '}' || char === ']') depth -= 1;
  }
  return deepest;
}
