/** Host with its port, where it is not that of https, of the beginning of a URL; null where there is no host in it. */
export function hostOf(start: string): string | null {
  const [, scheme, host] = /^\s*(https?|wss?):[\\/]{2,}(?:[^/?#@\s]*@)?([^/?#\s\\]+)/i.exec(start) ?? [];
  if (host === undefined) return null;
  const lower = host.toLowerCase().replace(/\.$/, '');
  return /^(?:https|wss)$/i.test(scheme!) ? lower.replace(/:443$/, '') : lower;
}

/** As the host checks it at each request; `config:` hosts are entered by operators and so never written down. */
export const isDeclaredHost = (declared: readonly string[], host: string): boolean =>
  declared.some((each) =>
    each.startsWith('*.') ? host.endsWith(each.slice(1)) && host.length > each.length - 1 : each === host,
  );
