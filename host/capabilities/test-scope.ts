import { type CapabilityName, DEFAULT_LIMITS, type Manifest } from '../../plugins-sdk/contract/index.ts';
import { type CallingInstallation, InvocationScope } from './call-scope.ts';

/** The scope of an invocation of some installation, for tests. */
export const testScope = (
  { id = 'i', grants = ['kv'], ...rest }: Partial<CallingInstallation> & { grants?: readonly CapabilityName[] } = {},
  invocationId = 'v',
  deadlineAtMs = Date.now() + 60_000,
  options: ConstructorParameters<typeof InvocationScope>[3] = {},
): InvocationScope =>
  new InvocationScope(
    {
      id,
      slug: 'arcade',
      operator: { id: 'op', slug: 'operator' },
      plugin: 'studio/arcade',
      version: '1.0.0',
      config: {},
      grants,
      limits: DEFAULT_LIMITS,
      manifest: { name: 'arcade', version: '1.0.0', publisher: 'studio' } as Manifest,
      ...rest,
    },
    invocationId,
    deadlineAtMs,
    options,
  );
