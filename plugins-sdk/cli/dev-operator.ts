import { v7 as uuidv7 } from 'uuid';
import type { Principal } from '../../registry/index.ts';
import type { Access } from '../contract/index.ts';

/** The one operator of a machine on which plugins are developed. */
export const LOCAL_OPERATOR = { id: uuidv7(), slug: 'local' } as const;

/** Who asks in the name of an access level: nobody for `public`. */
export function localPrincipal(access: Access): Principal | null {
  if (access === 'public') return null;
  const organisation = { ...LOCAL_OPERATOR, kind: 'operator' as const, name: 'gate dev' };
  return {
    via: 'token',
    credentialId: `local-${access}`,
    label: 'gate dev',
    role: access === 'operator' ? 'operator-owner' : access,
    organisation,
    account: null,
    factorAtMs: null,
  };
}
