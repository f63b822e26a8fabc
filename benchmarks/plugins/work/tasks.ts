/** What plugins and the servers that they are compared with both do. */

export interface Order {
  lines: { sku: string; name: string; count: number; priceMinor: number }[];
}

/** Reads every line and writes a smaller document. */
export function totalOf({ lines }: Order) {
  const perSku: Record<string, number> = {};
  let totalMinor = 0;
  for (const { sku, count, priceMinor } of lines) {
    perSku[sku] = (perSku[sku] ?? 0) + count;
    totalMinor += count * priceMinor;
  }
  return { totalMinor, lines: lines.length, perSku, order: { lines } };
}

/** Of `work`, for about five milliseconds. */
export const WORK_UNITS = 5;

/** Arithmetic that takes about so many milliseconds on a core of 2026; the same for everybody, whatever the clock says. */
export function work(units: number): number {
  let sum = 0;
  for (let at = 0; at < units * 180_000; at += 1) sum = (sum * 31 + at) | 0;
  return sum;
}
