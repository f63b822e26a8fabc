import type { Workbench } from '../../sandbox/workbench/index.ts';
import type { OpenLocalSandbox } from '../local-host.ts';
import { CliError } from './errors.ts';

/** Runs a plugin where debuggers find it, for `gate dev --inspect`. */
export interface DebugSandbox {
  command: { openSandbox: OpenLocalSandbox };
  /** Null before it was opened. */
  inspectorUrl(): string | null;
}

/** Refuses with: port-taken, when it is opened. */
export async function debugSandbox(inspectPort: number): Promise<DebugSandbox> {
  const { openWorkbench } = await import('../../sandbox/workbench/index.ts');
  let opened: Workbench | null = null;
  const openSandbox: OpenLocalSandbox = async (ports) => {
    opened = await openWorkbench({ mode: 'inspect', inspectPort }, ports).catch((error: Error) => {
      const message = `The debugger cannot listen on port ${inspectPort}: ${error.message} Choose another with --inspect <port>.`;
      throw new CliError('port-taken', message, { port: inspectPort });
    });
    return opened;
  };
  return { command: { openSandbox }, inspectorUrl: () => opened?.inspectorUrl ?? null };
}
