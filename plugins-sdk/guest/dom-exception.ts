import { defineProperty, hasOwn, NativeError } from './primordials.ts';
import { webClass } from './web-class.ts';

/** Constants of the older exceptions, by their codes; the newer names have the code 0. */
const CONSTANTS: (string | null)[] = [
  null,
  'INDEX_SIZE_ERR',
  'DOMSTRING_SIZE_ERR',
  'HIERARCHY_REQUEST_ERR',
  'WRONG_DOCUMENT_ERR',
  'INVALID_CHARACTER_ERR',
  'NO_DATA_ALLOWED_ERR',
  'NO_MODIFICATION_ALLOWED_ERR',
  'NOT_FOUND_ERR',
  'NOT_SUPPORTED_ERR',
  'INUSE_ATTRIBUTE_ERR',
  'INVALID_STATE_ERR',
  'SYNTAX_ERR',
  'INVALID_MODIFICATION_ERR',
  'NAMESPACE_ERR',
  'INVALID_ACCESS_ERR',
  'VALIDATION_ERR',
  'TYPE_MISMATCH_ERR',
  'SECURITY_ERR',
  'NETWORK_ERR',
  'ABORT_ERR',
  'URL_MISMATCH_ERR',
  'QUOTA_EXCEEDED_ERR',
  'TIMEOUT_ERR',
  'INVALID_NODE_TYPE_ERR',
  'DATA_CLONE_ERR',
];
const CODES: Record<string, number> = {
  IndexSizeError: 1,
  HierarchyRequestError: 3,
  WrongDocumentError: 4,
  InvalidCharacterError: 5,
  NoModificationAllowedError: 7,
  NotFoundError: 8,
  NotSupportedError: 9,
  InUseAttributeError: 10,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidModificationError: 13,
  NamespaceError: 14,
  InvalidAccessError: 15,
  TypeMismatchError: 17,
  SecurityError: 18,
  NetworkError: 19,
  AbortError: 20,
  URLMismatchError: 21,
  QuotaExceededError: 22,
  TimeoutError: 23,
  InvalidNodeTypeError: 24,
  DataCloneError: 25,
};

/** Web IDL's DOMException: an Error whose name says what happened. */
export class DOMException extends NativeError {
  readonly #message: string;
  readonly #name: string;

  constructor(message: string = '', name: string = 'Error') {
    super();
    this.#message = `${message}`;
    this.#name = `${name}`;
  }
  override get name(): string {
    return this.#name;
  }
  override get message(): string {
    return this.#message;
  }
  get code(): number {
    const name = this.#name;
    return hasOwn(CODES, name) ? CODES[name]! : 0;
  }
}
webClass(DOMException, 'DOMException');
for (let code = 1; code < CONSTANTS.length; code += 1) {
  const constant = { __proto__: null, value: code, writable: false, configurable: false, enumerable: true };
  defineProperty(DOMException, CONSTANTS[code]!, constant as PropertyDescriptor);
  defineProperty(DOMException.prototype, CONSTANTS[code]!, constant as PropertyDescriptor);
}
