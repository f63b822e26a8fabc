import { PLUGIN_FAULTS, type PluginFault, type PluginFaultCode } from '../plugins-sdk/contract/errors.ts';

const TEXT_UNITS_MAX = { message: 8_192, name: 256, stack: 32_768, limit: 64, lastHostCall: 256 };

/** A fault as a plugin's isolate wrote it: known fields only, and each of them capped. */
export function readFault(text: string): PluginFault {
  let said: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) said = parsed as Record<string, unknown>;
  } catch {
    // Falls through to a fault without facts.
  }
  const known = typeof said.code === 'string' && Object.hasOwn(PLUGIN_FAULTS, said.code);
  const code = known ? (said.code as PluginFaultCode) : 'plugin-threw';
  const fault: PluginFault = { code, message: PLUGIN_FAULTS[code] };
  for (const [field, unitsMax] of Object.entries(TEXT_UNITS_MAX) as [keyof typeof TEXT_UNITS_MAX, number][]) {
    const value = said[field];
    if (typeof value === 'string') fault[field] = value.slice(0, unitsMax);
  }
  for (const field of ['allowed', 'used'] as const) {
    const value = said[field];
    if (typeof value === 'number' && Number.isFinite(value)) fault[field] = value;
  }
  return fault;
}
