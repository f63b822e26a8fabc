/** Shorter ones occur by chance, and hiding them would spoil answers without keeping anything. */
const UNITS_MIN = 8;

/**
 * Bytes without the values of secrets, each replaced by `[secret NAME]`; `names` are by value. Finds a value as it is, as JSON writes
 * it, as it stands in a URL, and as base64. Other forms are beyond this: it protects against accidents and echoes, not against
 * a plugin that was shown a value and wants to tell it.
 */
export function hideSecrets(bytes: Buffer, names: ReadonlyMap<string, string>): Buffer {
  let clean = bytes;
  for (const [value, name] of names) {
    if (value.length < UNITS_MIN) continue;
    for (const form of formsOf(value)) clean = replaceAll(clean, Buffer.from(form), `[secret ${name}]`);
  }
  return clean;
}

/** Longest first: one form may begin with another. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
    bytes.toString('base64url'),
  ];
  return [...new Set([...forms, bytes.toString('base64')])].sort((a, b) => b.length - a.length);
}

function replaceAll(bytes: Buffer, what: Buffer, by: string): Buffer {
  let at = bytes.indexOf(what);
  if (at < 0) return bytes;
  const parts: Buffer[] = [];
  let from = 0;
  for (; at >= 0; at = bytes.indexOf(what, from)) {
    parts.push(bytes.subarray(from, at), Buffer.from(by));
    from = at + what.length;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}
