import { placeIn, readSourceMap, type SourceMap } from '../../plugins-sdk/map-frames.ts';
import type { Detector, Hit } from './detectors/detector.ts';
import { mining } from './detectors/mining.ts';
import { obfuscation, oversizedLiterals } from './detectors/obfuscation.ts';
import { constructorChain, dynamicCode, dynamicImport, hostProbing } from './detectors/reaching-code.ts';
import { type SecretPlace, secretsIn } from './detectors/secrets.ts';
import { slowPatterns } from './detectors/slow-patterns.ts';
import {
  lookAtNames,
  lookAtSource,
  packageOf,
  type SourceFile,
  type SourceHit,
  withoutProse,
} from './detectors/sources.ts';
import { globalTampering, prototypeTampering } from './detectors/tampering.ts';
import { installBehaviour, undeclared } from './detectors/undeclared.ts';
import { CodeUnreadable, readCode } from './read-code.ts';
import { FAMILIES } from './rules/families.ts';
import { type Finding, isAtLeast, type ScannedRelease, type Severity } from './rules/scan-report.ts';
import { shownText } from './rules/shown-text.ts';

const BUNDLE = 'bundle.js';
const EVIDENCE_CHARS_MAX = 160;
const SOURCES_MAX = 4_096;
const SOURCES_CHARS_MAX = 8 * 1024 * 1024;

const DETECTORS: readonly Detector[] = [
  dynamicCode,
  constructorChain,
  dynamicImport,
  hostProbing,
  prototypeTampering,
  globalTampering,
  obfuscation,
  oversizedLiterals,
  mining,
  undeclared,
  installBehaviour,
];

export interface ScanCodePorts {
  /** Names of the plugins of other publishers, `<publisher>/<name>`. */
  otherPlugins: readonly string[];
  /** Measures what searching takes. */
  nowMs(): number;
  /** 0 to 100. */
  onProgress(percent: number): void;
}

/**
 * Every finding of the static scan, in no order and without bound. May take seconds and hundreds of MiB of a hostile bundle: it runs in
 * a thread of its own (scan-in-worker.ts). Never refuses: what cannot be read is a finding.
 */
export async function scanCode(
  { manifest, code, sourceMap }: ScannedRelease,
  ports: ScanCodePorts,
): Promise<Finding[]> {
  const map = sourceMap === null ? null : readSourceMap(sourceMap);
  const sources = sourcesOf(sourceMap);
  const shown = sources.filter(({ name }) => !name.startsWith('gatehouse'));
  const findings: Finding[] = [];
  let secrets: readonly SecretPlace[] = [];
  const add = (hit: Hit) => findings.push(located({ evidence: evidenceAt(code, hit.at, secrets), ...hit }, code, map));
  const addSource = ({ evidence = '', ...hit }: SourceHit) => findings.push(complete({ ...hit, evidence }));
  if (sourceMap !== null && map === null) {
    add({
      family: 'incomplete',
      severity: 'low',
      at: null,
      explanation: 'The source map cannot be read, so places are those of the bundle.',
    });
  }
  for (const hit of lookAtNames(
    manifest,
    sources.map(({ name }) => name),
    ports.otherPlugins,
  ))
    addSource(hit);
  for (const hit of shown.flatMap(lookAtSource)) addSource(hit);
  ports.onProgress(20);
  secrets = await lookForSecrets(code, shown, add, addSource);
  ports.onProgress(40);
  let text = code;
  try {
    const looked = { code: readCode(code), manifest, report: add };
    text = withoutProse(looked.code, shown);
    ports.onProgress(50);
    const see = [...DETECTORS, slowPatterns(ports.nowMs)].map((detector) => detector(looked));
    looked.code.visit((node, ancestors) => {
      for (const look of see) look(node, ancestors);
    });
  } catch (error) {
    if (!(error instanceof CodeUnreadable)) throw error;
    add({ family: 'incomplete', severity: 'high', at: error.at, explanation: shownText(error.message) });
  }
  // What the map leaves out, or plays down, is in the code itself.
  for (const hit of lookAtSource({ name: BUNDLE, text })) {
    if (!findings.some((found) => found.family === hit.family && isAtLeast(found.severity, hit.severity)))
      addSource(hit);
  }
  ports.onProgress(100);
  return findings;
}

async function lookForSecrets(
  code: string,
  sources: readonly SourceFile[],
  add: (hit: Hit) => void,
  addSource: (hit: SourceHit) => void,
): Promise<SecretPlace[]> {
  const hit = (kind: string) => ({
    family: 'hard-coded-secret' as const,
    severity: 'high' as const,
    explanation: `This seems to be ${shownText(kind, 80)}.`,
    // Not even a part of it: the report is read by more people than the code.
    evidence: '…',
  });
  const inCode = await secretsIn(code, BUNDLE);
  for (const { index, kind } of inCode.told) add({ ...hit(kind), at: index });
  // What only sources hold, in comments and in what tree shaking left out, has been sent with the map all the same.
  for (const { name, text } of sources) {
    if (inCode.all.length > 0 || packageOf(name) !== null) continue;
    for (const { index, kind } of (await secretsIn(text, name)).told)
      addSource({ ...hit(kind), place: { file: name, ...lineOf(text, index) } });
  }
  return inCode.all;
}

/** The line from there on, as far as there is no secret in it. */
function evidenceAt(code: string, at: number | null, secrets: readonly SecretPlace[]): string {
  if (at === null) return '';
  const line = code.slice(at, at + EVIDENCE_CHARS_MAX).split('\n')[0]!;
  const begins = secrets.filter(({ index, end }) => end > at && index < at + line.length).map(({ index }) => index);
  return begins.length === 0 ? line : `${line.slice(0, Math.max(0, Math.min(...begins) - at))}…`;
}

/** Names and texts of a map; none where it is malformed. */
function sourcesOf(sourceMap: string | null): SourceFile[] {
  if (sourceMap === null) return [];
  try {
    const { sources, sourcesContent = [] } = JSON.parse(sourceMap) as {
      sources: unknown[];
      sourcesContent?: unknown[];
    };
    let left = SOURCES_CHARS_MAX;
    return sources.slice(0, SOURCES_MAX).flatMap((name, index) => {
      const text = sourcesContent[index];
      if (typeof name !== 'string') return [];
      if (typeof text !== 'string' || text.length > left) return [{ name: shownText(name), text: '' }];
      left -= text.length;
      return [{ name: shownText(name), text }];
    });
  } catch {
    return [];
  }
}

function located({ at, ...rest }: Required<Hit>, code: string, map: SourceMap | null): Finding {
  if (at === null) return complete({ ...rest, place: null });
  const { line, column } = lineOf(code, at);
  const mapped = map === null ? null : placeIn(map, line, column);
  const place =
    mapped === null
      ? { file: BUNDLE, line, column }
      : { file: mapped.source, line: mapped.line, column: mapped.column };
  return complete({ ...rest, severity: softened(rest, place.file), place });
}

/** Known idioms of packages: what they do in a package of npm is no sign of a plugin's author. */
function softened({ family, severity }: Pick<Hit, 'family' | 'severity'>, file: string): Severity {
  return family === 'undeclared' && packageOf(file) !== null && severity === 'medium' ? 'low' : severity;
}

const complete = ({ family, severity, place, explanation, evidence }: Omit<Finding, 'fix'>): Finding => ({
  family,
  severity,
  place,
  explanation: shownText(explanation, 300),
  fix: FAMILIES[family].fix,
  evidence: shownText(evidence),
});

/** Both from 1. */
function lineOf(text: string, index: number): { line: number; column: number } {
  const start = text.lastIndexOf('\n', index - 1) + 1;
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return { line, column: index - start + 1 };
}
