/** Why a request to the outside was not made, or not to its end. The same codes are part of the plugin contract. */
export type EgressRefusalCode =
  | 'fetch-url-refused'
  | 'fetch-host-undeclared'
  | 'fetch-address-refused'
  | 'fetch-failed'
  | 'fetch-timeout'
  | 'fetch-redirects-exceeded'
  | 'fetch-response-too-large';

/** The message says what to do and holds nothing of what was sent: urls and headers may carry credentials. */
export class EgressRefusal extends Error {
  override name = 'EgressRefusal';
  readonly code: EgressRefusalCode;
  constructor(code: EgressRefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

export const tooLarge = (bytesMax: number): EgressRefusal =>
  new EgressRefusal('fetch-response-too-large', `The answer has more than ${bytesMax} bytes; ask for less.`);

export const heldTooMuch = (): EgressRefusal =>
  new EgressRefusal(
    'fetch-failed',
    'The host holds too much of answers that do not end, most of them yours; ask for fewer at once.',
  );
