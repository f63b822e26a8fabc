import { random } from '../crypto.ts';
import { takePart } from '../parts.ts';
import { NativeTypeError, numberToString, stringLower, stringPadStart } from '../primordials.ts';
import { utf8Decode } from '../utf8.ts';
import { Blob, blobBytes, cloneBlob, File, isBlob, makeBlob } from './blob.ts';
import { addEntry, FormData, isForm } from './form-data.ts';
import { parameterOf, readMime, writeMime } from './mime.ts';
import { readMultipart, writeMultipart } from './multipart.ts';

export { Blob, cloneBlob, File, FormData };

type Bytes = Uint8Array<ArrayBuffer>;

/** What a blob or a form is as a body; null for everything else. */
export function extract(value: unknown): { content: Bytes; contentType: string | null } | null {
  if (isBlob(value)) return { content: blobBytes(value), contentType: value.type === '' ? null : value.type };
  if (!isForm(value)) return null;
  const boundary = newBoundary();
  return { content: writeMultipart(value, boundary), contentType: `multipart/form-data; boundary=${boundary}` };
}

/** From the invocation's seed: the same input gives the same bytes. */
function newBoundary(): string {
  let digits = '';
  for (let at = 0; at < 4; at += 1) digits += stringPadStart(numberToString((random() * 2 ** 32) >>> 0, 16), 8, '0');
  return `----gatehouse-${digits}`;
}

export function blobOfBody(bytes: Bytes, contentType: string | null): Blob {
  const mime = contentType === null ? null : readMime(contentType);
  return makeBlob(bytes, mime === null ? '' : stringLower(writeMime(mime)));
}

type ParamsPart = { parseForm(text: string): [name: string, value: string][] };

/** What a body says as a form. Throws a TypeError where its type is no form's, or it is malformed. */
export function readForm(bytes: Bytes, contentType: string | null): FormData {
  const mime = contentType === null ? null : readMime(contentType);
  if (mime?.essence === 'multipart/form-data') {
    const boundary = parameterOf(mime, 'boundary');
    if (boundary === null) throw new NativeTypeError('The content-type multipart/form-data has no boundary');
    return readMultipart(bytes, boundary);
  }
  if (mime?.essence !== 'application/x-www-form-urlencoded') {
    throw new NativeTypeError(
      `A form is multipart/form-data or application/x-www-form-urlencoded, not ${contentType ?? 'without a type'}`,
    );
  }
  const form = new FormData();
  const text = utf8Decode(bytes, false);
  const pairs = takePart<ParamsPart>('url-params').parseForm(text);
  for (let at = 0; at < pairs.length; at += 1) addEntry(form, pairs[at]![0], pairs[at]![1]);
  return form;
}
