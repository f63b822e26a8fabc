import fs from 'node:fs';

/** The text of a file, or null where there is none. */
export function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  }
}

/** The JSON of a file, or null where there is none or it is torn. */
export function readJson(file) {
  try {
    return JSON.parse(readText(file) ?? 'null');
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
