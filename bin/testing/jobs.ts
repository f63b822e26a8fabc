import fs from 'node:fs';
import path from 'node:path';

export const GROUPS = ['check', 'unit', 'db', 'isolate', 'e2e'] as const;
export type Group = (typeof GROUPS)[number];

/** One process that is counted: a tool (its exit code is one test), or mocha over some files. */
export type Job = { group: Group; name: string } & (
  | { kind: 'tool'; args: string[] }
  | { kind: 'mocha'; files: string[] }
);

/** Jobs of one phase run `atOnce` at a time; a phase starts when the one before it has ended. */
export interface Phase {
  atOnce: number;
  jobs: Job[];
}

/** The repository's check of itself; it belongs to the fast checks and not to the unit tests. */
const TIDY = 'tidy.test.ts';
const FOLDERS = ['bin', 'plugins-sdk', 'sandbox', 'registry', 'host', 'migrations', 'benchmarks', 'examples'];

const TOOLS = {
  biome: ['node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '--error-on-warnings', '.'],
  tsc: ['node_modules/typescript/bin/tsc', '-p', '.', '--noEmit'],
  'dependency-cruiser': [
    'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'err-long',
    ...FOLDERS,
  ],
  knip: ['node_modules/knip/bin/knip.js', '--no-progress'],
};

/** Which group a test file belongs to, by its name. Tests of examples run in the real sandbox. */
export function groupOf(file: string): Exclude<Group, 'check'> {
  const suffix = /\.(db|isolate|e2e)\.test\.ts$/.exec(file)?.[1];
  if (suffix) return suffix as 'db' | 'isolate' | 'e2e';
  return file.startsWith('examples/') ? 'isolate' : 'unit';
}

/**
 * Unit tests share a process and database tests share a server. Isolate and end-to-end tests get a process per file, so
 * that a crash costs one file, and run alone, because they measure themselves against deadlines.
 */
export function findPhases(root: string, groups: readonly Group[]): Phase[] {
  const files = FOLDERS.flatMap((folder) => testFiles(root, folder)).sort();
  const of = (group: Group) => (groups.includes(group) ? files.filter((file) => groupOf(file) === group) : []);
  const together = (group: Group): Job[] => {
    const members = of(group);
    return members.length > 0 ? [{ group, name: `${members.length} files`, kind: 'mocha', files: members }] : [];
  };
  const apart = (group: Group): Job[] => of(group).map((file) => ({ group, name: file, kind: 'mocha', files: [file] }));
  const checks: Job[] = [
    ...Object.entries(TOOLS).map(([name, args]): Job => ({ group: 'check', name, kind: 'tool', args })),
    { group: 'check', name: 'tidy', kind: 'mocha', files: [TIDY] },
  ];
  return [
    { atOnce: 2, jobs: groups.includes('check') ? checks : [] },
    { atOnce: 2, jobs: [...together('unit'), ...together('db')] },
    { atOnce: 1, jobs: apart('isolate') },
    { atOnce: 1, jobs: apart('e2e') },
  ];
}

function testFiles(root: string, folder: string): string[] {
  return fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testFiles(root, file);
    return file.endsWith('.test.ts') ? [file] : [];
  });
}
