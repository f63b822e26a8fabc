import type { DocumentFault } from '../../plugins-sdk/contract/index.ts';
import { RegistryRefusal } from '../errors.ts';
import type { Registration } from './contract.ts';
import { passwordWeakness } from './password-strength.ts';

const USERNAME = /^[a-zA-Z0-9_]{3,20}$/;
export const isUsername = (text: string): boolean => USERNAME.test(text);
export const PASSWORD_CHARS_MIN = 8;
export const PASSWORD_CHARS_MAX = 72;
// One @, a domain with a dot, no space, no control character: the rest only the mail itself can tell.
const EMAIL =
  /^[^\s@<>"(),:;[\]\\\p{Cc}]{1,64}@(?=.{1,255}$)[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?\.[\p{L}\p{N}-]{2,63}$/u;
/** Mobile numbers of mainland China, of which the metadata knows more kinds. */
const CHINA_MOBILE = /^1[3-9]\d{9}$/;

/** All that is wrong with a registration, by JSON pointer; with the telephone number in E.164 where it is one. */
export async function registrationFaults({
  username,
  password,
  email,
  phone,
}: Registration): Promise<{ faults: DocumentFault[]; phone: string | null }> {
  const faults: DocumentFault[] = [];
  if (!isUsername(username)) {
    faults.push({ pointer: '/username', message: 'must be 3 to 20 of the letters a-z and A-Z, digits and _' });
  }
  if (!EMAIL.test(email))
    faults.push({ pointer: '/email', message: 'must be an address of mail, such as ada@example.com' });
  faults.push(...(await passwordFaults(password, '/password', [username, ...email.split(/[@.]/)])));
  const number = phone === undefined ? null : await phoneNumber(phone);
  if (phone !== undefined && number === null) {
    faults.push({
      pointer: '/phone',
      message: 'must be a telephone number of this country (two capital letters, ISO 3166)',
    });
  }
  return { faults, phone: number };
}

/** All that is wrong with a password of somebody whom these words describe. */
export async function passwordFaults(
  password: string,
  pointer: string,
  knownWords: string[],
): Promise<DocumentFault[]> {
  const faults: string[] = [];
  // Characters as people count them, not bytes and not halves of surrogate pairs.
  const chars = [...password.normalize('NFKC')].length;
  if (chars < PASSWORD_CHARS_MIN || chars > PASSWORD_CHARS_MAX) {
    faults.push(`must have ${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX} characters`);
  }
  if (!password.isWellFormed()) faults.push('must be well-formed Unicode');
  if (!/\p{Lu}/u.test(password)) faults.push('must have an upper-case letter');
  if (!/\p{Ll}/u.test(password)) faults.push('must have a lower-case letter');
  if (!/\p{Nd}/u.test(password)) faults.push('must have a digit');
  const weakness = await passwordWeakness(password, knownWords);
  if (weakness !== null) faults.push(weakness);
  return faults.map((message) => ({ pointer, message }));
}

/** Refuses with: account-invalid, with all faults. */
export function requireNoFaults(faults: DocumentFault[]): void {
  if (faults.length > 0) throw new RegistryRefusal('account-invalid', undefined, { faults });
}

async function phoneNumber({ country, number }: NonNullable<Registration['phone']>): Promise<string | null> {
  // Half a megabyte of numbering plans, read when somebody gives a number.
  const { isSupportedCountry, parsePhoneNumberFromString } = await import('libphonenumber-js/max');
  if (!isSupportedCountry(country)) return null;
  const parsed = parsePhoneNumberFromString(number, country);
  if (!parsed?.isValid() || parsed.country !== country) return null;
  if (country === 'CN' && !CHINA_MOBILE.test(parsed.nationalNumber)) return null;
  return parsed.number;
}

/** What mail is sent to: composed, so that it goes where the index says and to no letter that merely looks or folds alike. */
export const composedEmail = (email: string): string => email.normalize('NFC');

/** One account for ada@example.com and ADA@Example.com. */
export const normalEmail = (email: string): string => composedEmail(email).toLowerCase();
