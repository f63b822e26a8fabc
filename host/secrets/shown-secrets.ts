import type { Json } from '../../plugins-sdk/contract/index.ts';
import type { InstallationLogEntry } from '../installations/contract.ts';
import { hideSecrets } from './rules/hide-secrets.ts';

/**
 * The values that installations were shown by `secret-values`, as long as this process lives: a plugin may keep one and log it with
 * another invocation. What is written down for people goes through here first.
 */
export interface ShownSecrets {
  shown(installationId: string, name: string, value: string): void;
  /** The values of an installation; the newest last. */
  values(installationId: string): string[];
  /** The line without the values that its installation was shown. */
  hide<Line extends Pick<InstallationLogEntry, 'message' | 'facts'>>(installationId: string, line: Line): Line;
}

export function createShownSecrets(): ShownSecrets {
  const byInstallation = new Map<string, Map<string, string>>();
  return {
    shown: (installationId, name, value) => {
      const values = byInstallation.get(installationId) ?? new Map<string, string>();
      // By value: one that was replaced may still be in the isolate.
      values.set(value, name);
      byInstallation.set(installationId, values);
    },
    values: (installationId) => [...(byInstallation.get(installationId)?.keys() ?? [])],
    hide: (installationId, line) => {
      const values = byInstallation.get(installationId);
      if (values === undefined) return line;
      const clear = (text: string) => hideSecrets(Buffer.from(text), values).toString();
      return { ...line, message: clear(line.message), facts: clearIn(line.facts, clear) };
    },
  };
}

/** Leaf by leaf: a value that is all digits, or holds quotes, would make the whole unreadable were it replaced in JSON. */
function clearIn(value: Json, clear: (text: string) => string): Json {
  if (typeof value === 'string') return clear(value);
  if (typeof value === 'number') {
    const text = String(value);
    const cleared = clear(text);
    return cleared === text ? value : cleared;
  }
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((each) => clearIn(each, clear));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [clear(name), clearIn(each, clear)]));
}
