import type { PluginFaultCode } from '../../plugins-sdk/contract/index.ts';
import type { RegistryRefusalCode } from '../../registry/index.ts';
import type { SandboxRefusalCode } from '../../sandbox/index.ts';
import type { HostRefusalCode } from '../errors.ts';

/** Every code that a caller can meet. */
export type ProblemCode = HostRefusalCode | RegistryRefusalCode | SandboxRefusalCode | PluginFaultCode;
