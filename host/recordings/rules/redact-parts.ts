import { SENSITIVE_NAME } from './masks.ts';

const BOUNDARY = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i;
const NAME = /^content-disposition:[^\r\n]*?[;\s]name=(?:"([^"\r\n]*)"|([^\s;"]+))/im;

/** A multipart form, of which the parts that are named like credentials are written anew. Anything else stays as it is. */
export function redactParts(
  text: string,
  contentType: string,
  replace: (value: string, name: string) => string,
): string {
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) return text;
  return text
    .split(`--${boundary}`)
    .map((part) => {
      const at = part.indexOf('\r\n\r\n') + 4;
      if (at < 4 || !part.endsWith('\r\n')) return part;
      const head = part.slice(0, at);
      const [, inQuotes, bare] = NAME.exec(head) ?? [];
      const name = inQuotes ?? bare;
      if (name === undefined || !SENSITIVE_NAME.test(name)) return part;
      return `${head}${replace(part.slice(at, -2), name)}\r\n`;
    })
    .join(`--${boundary}`);
}
