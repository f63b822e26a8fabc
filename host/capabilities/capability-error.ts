import { CAPABILITY_REFUSALS, type CapabilityRefusalCode } from '../../plugins-sdk/contract/index.ts';

/** A capability call that is refused; the plugin sees an Error with this code and message. */
export class CapabilityError extends Error {
  override name = 'CapabilityError';
  readonly code: CapabilityRefusalCode;
  constructor(code: CapabilityRefusalCode, message: string = CAPABILITY_REFUSALS[code]) {
    super(message);
    this.code = code;
  }
}
