import type { Report } from './report.ts';

const [WIDTH, LABEL, BAR, GAP, TOP] = [760, 300, 22, 8, 56];
const COLOURS = ['#2563eb', '#64748b', '#d97706', '#7c3aed', '#0d9488'];

/** A picture of the first figure of each series, as bars: one colour for each candidate. */
export function chartOf({ name, question, series }: Report): string {
  const bars = series.map(({ candidate, situation, figures }) => {
    const [[figure, { median, unit }] = ['', { median: 0, unit: 'us' as const }]] = Object.entries(figures);
    return { candidate, label: situation === '' ? candidate : `${candidate}, ${situation}`, figure, median, unit };
  });
  const candidates = [...new Set(bars.map(({ candidate }) => candidate))];
  const most = Math.max(1e-9, ...bars.map(({ median }) => median));
  const height = TOP + bars.length * (BAR + GAP) + GAP;
  const rows = bars.map(({ candidate, label, median, unit }, at) => {
    const y = TOP + at * (BAR + GAP);
    const width = Math.max(1, ((WIDTH - LABEL - 140) * median) / most);
    const colour = COLOURS[candidates.indexOf(candidate) % COLOURS.length];
    const shown = median >= 100 ? Math.round(median).toLocaleString('en-US') : median.toFixed(2);
    return [
      `<text x="${LABEL - 10}" y="${y + 15}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colour}"/>`,
      `<text x="${(LABEL + width + 8).toFixed(1)}" y="${y + 15}">${shown} ${unit}</text>`,
    ].join('\n');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(name)}" font-family="sans-serif" font-size="12" fill="#1f2937">`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<text x="12" y="22" font-size="15" font-weight="bold">${escaped(`${name}: ${bars[0]?.figure ?? ''}`)}</text>`,
    `<text x="12" y="42" fill="#6b7280">${escaped(question)}</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (each) => ESCAPES[each]!);
