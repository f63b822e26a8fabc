import { readdirSync } from 'node:fs';
import type { Attack } from './attack.ts';

export interface NamedAttack extends Attack {
  /** `<family>/<file>`. */
  name: string;
}

/** Every attack of every family, in the order of their names. */
export async function readCorpus(): Promise<NamedAttack[]> {
  const here = import.meta.dirname;
  const families = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = families
    .flatMap(({ name }) => readdirSync(`${here}/${name}`).map((file) => `${name}/${file.replace(/\.ts$/, '')}`))
    .sort();
  return Promise.all(
    names.map(async (name) => ({ name, ...((await import(`./${name}.ts`)) as { default: Attack }).default })),
  );
}
