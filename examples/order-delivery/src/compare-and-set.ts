import type { Kv } from '@gatehouse/plugin-sdk';

/** Writes an entry if it still has this version, 0 meaning that there is none. False where somebody else was faster. */
export async function compareAndSet(kv: Kv, key: string, value: unknown, ifVersion: number): Promise<boolean> {
  try {
    await kv.set(key, value, { ifVersion });
    return true;
  } catch (error) {
    if ((error as { code?: string } | null)?.code === 'kv-version-conflict') return false;
    throw error;
  }
}
