/** The address cannot be listened on. The message is one sentence that says what to do. */
export class AddressUnavailable extends Error {
  override name = 'AddressUnavailable';
}

/** What an address is set by. */
const SETTINGS = { hostName: 'GATEHOUSE_HOST', port: '--port' };

/** Why an address cannot be listened on, as a refusal that says what to do. Refuses with: AddressUnavailable. */
export function refuseAddress(
  { code, message }: NodeJS.ErrnoException,
  { hostName, port }: { hostName: string; port: number },
  settings = SETTINGS,
): never {
  const advice: Record<string, string> = {
    EADDRINUSE: `Port ${port} of ${hostName} is taken by another program; stop it or choose another with ${settings.port}.`,
    EACCES: `Port ${port} is reserved for privileged accounts; choose one above 1023 with ${settings.port}.`,
    EADDRNOTAVAIL: `This machine has no address ${hostName}; correct ${settings.hostName}.`,
    ENOTFOUND: `${hostName} is no address of this machine; correct ${settings.hostName}.`,
  };
  throw new AddressUnavailable(advice[code ?? ''] ?? `Cannot listen on ${hostName}:${port}: ${message}.`);
}
