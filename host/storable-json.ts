/** PostgreSQL takes neither U+0000 nor lone surrogates out of JSON, which a plugin may well write; JSON.stringify makes both escapes. */
const UNSTORABLE = /\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

/** Rows for `json_to_recordset`. What cannot be stored becomes U+FFFD. */
export const storableJson = (rows: object[]): string => JSON.stringify(rows).replace(UNSTORABLE, '\\ufffd');
