import type { Manifest } from '../../../plugins-sdk/contract/index.ts';
import { type ReadCode, textOf } from '../read-code.ts';
import { type HiddenKind, hiddenCharacters } from '../rules/hidden-characters.ts';
import { licenceIn } from '../rules/licences.ts';
import type { Finding, Severity } from '../rules/scan-report.ts';
import { shownText } from '../rules/shown-text.ts';
import { KNOWN_PACKAGES, takenFor } from '../rules/similar-names.ts';
import type { Hit } from './detector.ts';

/** One file that went into a bundle, as its source map has it. */
export interface SourceFile {
  name: string;
  text: string;
}

/** A finding at a place of a source; `column` and `line` from 1. */
export type SourceHit = Omit<Hit, 'at'> & { place: Finding['place'] };

const HIDDEN: Record<HiddenKind, { severity: Severity; explanation: string }> = {
  bidirectional: {
    severity: 'high',
    explanation: 'A character changes the order in which the line is shown, so that people read other code than runs.',
  },
  invisible: { severity: 'high', explanation: 'A character stands here that does not show.' },
  mixed: { severity: 'high', explanation: 'A word mixes letters of scripts that look alike.' },
};
/** What people write in their own language, marks of direction among it. */
const PROSE = /\.(?:json|md|txt|html?|css|ya?ml|po)$/;

/** Hidden characters and licences, file by file. */
export function lookAtSource({ name, text }: SourceFile): SourceHit[] {
  const hidden = hiddenCharacters(text).map(({ kind, line, column, text: evidence }) => ({
    family: 'hidden-characters' as const,
    ...HIDDEN[kind],
    ...(PROSE.test(name) && { severity: 'low' as const }),
    place: { file: name, line, column },
    evidence: shownText(evidence),
  }));
  const licence = licenceIn(text);
  if (licence === null) return hidden;
  const before = text.slice(0, licence.index).split('\n');
  return [
    ...hidden,
    {
      family: 'licence',
      severity: licence.severity,
      explanation: `The file names the licence ${licence.name}.`,
      place: { file: name, line: before.length, column: before.at(-1)!.length + 1 },
      evidence: shownText(text.slice(licence.index, licence.index + 100)),
    },
  ];
}

/**
 * The code without the texts in it that are those of files of prose, whose marks are said of these files; every place stays where it is.
 * A map names its files as its author likes, so only what is a text in the code as well counts as one.
 */
export function withoutProse(code: ReadCode, sources: readonly SourceFile[]): string {
  const prose = sources.filter(({ name }) => PROSE.test(name)).map(({ text }) => text);
  if (prose.length === 0) return code.text;
  const isProse = (text: string) =>
    prose.some((each) => each.includes(text) || each.includes(JSON.stringify(text).slice(1, -1)));
  let [rest, end] = ['', 0];
  code.visit((node) => {
    const text = textOf(node);
    if (text === null || node.start < end || hiddenCharacters(text).length === 0 || !isProse(text)) return;
    rest += code.text.slice(end, node.start) + code.text.slice(node.start, node.end).replace(/[^\n]/g, ' ');
    end = node.end;
  });
  return rest + code.text.slice(end);
}

/** `lodash` of `node_modules/lodash/get.js`; the innermost one of nested packages. */
export function packageOf(file: string): string | null {
  const parts = [...file.matchAll(/(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/g)];
  return parts.at(-1)?.[1] ?? null;
}

/** Names of the plugin and of its packages beside those that people know. `plugins` are those of other publishers. */
export function lookAtNames(manifest: Manifest, files: readonly string[], plugins: readonly string[]): SourceHit[] {
  const hits: SourceHit[] = [];
  const hit = (severity: Severity, explanation: string, evidence: string) =>
    hits.push({ family: 'typosquatting', severity, explanation, evidence: shownText(evidence), place: null });
  const known = plugins.map((plugin) => plugin.slice(plugin.indexOf('/') + 1));
  const taken = known.includes(manifest.name) ? null : takenFor(manifest.name, known);
  if (taken !== null) {
    const severity = taken.why === 'looks the same' || manifest.name.length >= 8 ? 'high' : 'medium';
    hit(
      severity,
      `The name ${taken.why === 'looks the same' ? 'looks like' : 'differs by one letter from'} that of another publisher's plugin, ${taken.name}.`,
      manifest.name,
    );
  }
  if (hiddenCharacters(`${manifest.title}\n${manifest.description}`).length > 0) {
    hit('high', 'The title or the description holds characters that do not show, or show as others.', manifest.title);
  }
  const packages = new Set(files.flatMap((file) => packageOf(file) ?? []));
  for (const name of packages) {
    const bare = name.startsWith('@') ? null : name;
    if (bare === null || KNOWN_PACKAGES.includes(bare)) continue;
    const meant = takenFor(bare, KNOWN_PACKAGES);
    if (meant !== null)
      hit(
        'high',
        `The package ${shownText(bare)} is not ${meant.name}, and its name ${meant.why === 'looks the same' ? 'looks the same' : 'differs by one letter'}.`,
        bare,
      );
  }
  for (const { plugin } of manifest.dependencies ?? []) {
    const meant = plugins.includes(plugin) ? null : takenFor(plugin, plugins);
    if (meant !== null) hit('high', `It depends on ${plugin}, whose name is close to ${meant.name}.`, plugin);
  }
  return hits;
}
