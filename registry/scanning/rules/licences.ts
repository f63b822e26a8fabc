/** Licences by what they ask of whoever distributes a bundle with somebody else's code in it. */
const LICENCES: readonly { pattern: RegExp; name: string; severity: 'medium' | 'high' }[] = [
  { pattern: /\bA(?:ffero )?GPL(?:[- ]?v?3(?:\.0)?)?\b|GNU Affero General Public/i, name: 'AGPL', severity: 'high' },
  { pattern: /\bServer Side Public License\b|\bSSPL\b/i, name: 'SSPL', severity: 'high' },
  { pattern: /(?<![AL])\bGPL(?:[- ]?v?[23](?:\.0)?)\b|\bGNU General Public License/i, name: 'GPL', severity: 'high' },
  { pattern: /\bCommons Clause\b/i, name: 'Commons Clause', severity: 'high' },
  { pattern: /\bBusiness Source License\b|\bBUSL-1\.1\b/i, name: 'Business Source License', severity: 'high' },
  { pattern: /\bCC[- ]BY[- ]NC\b|\bnon-?commercial use only\b/i, name: 'non-commercial use only', severity: 'high' },
  {
    pattern: /\b(?:proprietary and confidential|do not (?:re)?distribute|unauthori[sz]ed copying)\b/i,
    name: 'proprietary',
    severity: 'high',
  },
  { pattern: /\bLGPL\b|GNU Lesser General Public/i, name: 'LGPL', severity: 'medium' },
  { pattern: /@licen[sc]e\s+UNLICENSED\b|SPDX-License-Identifier:\s*UNLICENSED/i, name: 'none', severity: 'medium' },
];
/** Where licences are named: at the head of a file. */
const HEAD_CHARS_MAX = 8_192;
/** A choice between this licence and a free one is a free one. */
const CHOICE =
  /\b(?:dual[- ]licen[sc]ed|(?:MIT|Apache-2\.0|BSD-[23]-Clause)\s+(?:OR|or|\/)\s+\(?\w|(?:GPL|AGPL)\S*\s+(?:OR|or)\s+\(?(?:MIT|Apache|BSD))/;

/** The licence in the comments of a text that whoever bundles it should know about; null for none. */
export function licenceIn(text: string): { name: string; severity: 'medium' | 'high'; index: number } | null {
  const head = text.slice(0, HEAD_CHARS_MAX);
  for (const comment of head.matchAll(/\/\*[\s\S]{0,4000}?\*\/|\/\/[^\n]{0,400}/g)) {
    if (CHOICE.test(comment[0])) continue;
    for (const { pattern, name, severity } of LICENCES) {
      const match = pattern.exec(comment[0]);
      if (match) return { name, severity, index: comment.index + match.index };
    }
  }
  return null;
}
