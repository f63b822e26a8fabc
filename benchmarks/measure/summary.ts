import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Circumstances } from './circumstances.ts';
import { isMet, type Report, type Verdict } from './report.ts';
import { formatNumber } from './statistics.ts';

/** A benchmark that could not be brought to its end. */
export interface Failed {
  name: string;
  question: string;
  why: string;
}

const root = path.resolve(import.meta.dirname, '../..');
const NAMED = ['isolated-vm', 'koa', 'pg', 'piscina'];

/** All that one run has measured, on one page, with what it was held to. */
export function summaryOf(
  results: readonly (Report | Failed)[],
  { at, commit, machine }: Circumstances,
  elapsedMs: number,
): string {
  const measured = results.filter((each): each is Report => 'series' in each);
  const failed = results.filter((each): each is Failed => 'why' in each);
  const verdicts = measured.flatMap((each) => each.verdicts);
  const missing = measured.flatMap(({ name, missing: peers = [] }) => peers.map((peer) => ({ name, ...peer })));
  const met = verdicts.filter(isMet).length;
  return [
    '# Benchmarks',
    '',
    `${met} of ${verdicts.length} targets met, ${failed.length} benchmarks failed. Commit ${commit}, ${at}, ${Math.round(elapsedMs / 1_000)} s.`,
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}; Node.js ${machine.node}, V8 ${process.versions.v8}, ${NAMED.map((name) => `${name} ${versionOf(name)}`).join(', ')}, workerd ${versionOf('@cloudflare/workerd-linux-64', '.runtime/peers')}.`,
    '',
    '| benchmark | measured is | reach | measured | met? |',
    '|---|---|---:|---:|---|',
    ...measured.flatMap(({ name, verdicts: all }) => all.map((verdict) => rowOf(name, verdict))),
    ...failed.map(({ name, why }) => `| ${name} | - | - | - | **failed:** ${oneLine(why)} |`),
    '',
    ...missing.map(({ name, candidate, why }) => `- **${candidate} is missing** in ${name}: ${oneLine(why)}`),
    missing.length === 0 ? 'No peer was missing.' : '',
    '',
    ...measured.flatMap(({ name, question }) => [
      `## [${name}](${name}.md)`,
      '',
      question,
      '',
      `![${name}](${name}.svg)`,
      '',
    ]),
  ].join('\n');
}

const rowOf = (name: string, verdict: Verdict): string => {
  const sign = verdict.good === 'at least' ? '≥' : '≤';
  const shown = (value: number) => (Math.abs(value) >= 100 ? formatNumber(value) : String(Number(value.toFixed(2))));
  return `| [${name}](${name}.md) | ${verdict.name} | ${sign} ${shown(verdict.target)} | ${shown(verdict.value)} | ${isMet(verdict) ? 'met' : '**missed**'} |`;
};

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').slice(0, 300);

function versionOf(name: string, folder = '.'): string {
  try {
    return JSON.parse(readFileSync(path.join(root, folder, 'node_modules', name, 'package.json'), 'utf8')).version;
  } catch {
    return 'not installed';
  }
}
