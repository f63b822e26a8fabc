import type { CapabilityRefusalCode } from '../contract/errors.ts';
import { framesOf } from './frames.ts';
import { defineHidden, NativeError, nameFunction } from './primordials.ts';

/** A refused capability call, as a plugin sees it: `code` is one of CAPABILITY_REFUSALS. */
export class CapabilityError extends NativeError {
  code: CapabilityRefusalCode = 'capability-unavailable';
  declare reason?: string;

  constructor(code?: CapabilityRefusalCode, message?: string) {
    super('');
    if (code !== undefined) this.tell(code, message ?? '');
  }

  /** Says what happened. The error was made at the call, so that its stack shows who called. */
  tell(code: CapabilityRefusalCode, message: string, reason?: string): void {
    const frames = framesOf(this);
    this.code = code;
    if (reason !== undefined) defineHidden(this, 'reason', reason);
    defineHidden(this, 'message', message);
    defineHidden(this, 'stack', `CapabilityError: ${message}${frames === '' ? '' : `\n${frames}`}`);
  }
}
nameFunction(CapabilityError, 'CapabilityError');
defineHidden(CapabilityError.prototype, 'name', 'CapabilityError');
