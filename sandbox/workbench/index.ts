export type { RawProfile } from './messages.ts';
export { openWorkbench, type Workbench, type WorkbenchOptions } from './open-workbench.ts';
