import { CAPABILITY_REFUSALS, type CapabilityRefusalCode } from '../../plugins-sdk/contract/index.ts';

/** A capability call that is refused; the plugin sees an Error with this code and message. */
export class CapabilityError extends Error {
  override name = 'CapabilityError';
  readonly code: CapabilityRefusalCode;
  /** The code of what stood behind it. */
  readonly reason: string | undefined;
  constructor(code: CapabilityRefusalCode, message: string = CAPABILITY_REFUSALS[code], reason?: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}
