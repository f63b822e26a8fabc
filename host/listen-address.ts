import type { Config } from './config.ts';

/** The address cannot be listened on. The message is one sentence that says what to do. */
export class AddressUnavailable extends Error {
  override name = 'AddressUnavailable';
}

/** Why an address cannot be listened on, as a refusal that says what to do. Refuses with: AddressUnavailable. */
export function refuseAddress({ code, message }: NodeJS.ErrnoException, { hostName, port }: Config): never {
  const advice: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${hostName} is taken by another program; stop it or choose another with --port.`,
    EACCES: `Port ${port} is reserved for privileged accounts; choose one above 1023 with --port.`,
    EADDRNOTAVAIL: `This machine has no address ${hostName}; correct GATEHOUSE_HOST.`,
    ENOTFOUND: `${hostName} is no address of this machine; correct GATEHOUSE_HOST.`,
  };
  throw new AddressUnavailable(advice[code ?? ''] ?? `Cannot listen on ${hostName}:${port}: ${message}.`);
}
