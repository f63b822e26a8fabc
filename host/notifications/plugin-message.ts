import type { Json, OperatorMessage } from '../../plugins-sdk/contract/index.ts';
import type { CallingInstallation } from '../capabilities/call-scope.ts';

/** A message of a plugin as a notification: the host says who speaks, the plugin only what. */
export function messageOf(
  { id, slug, plugin, operator }: Pick<CallingInstallation, 'id' | 'slug' | 'plugin' | 'operator'>,
  { title, text, severity, link }: OperatorMessage,
): { subject: string; body: string; facts: Json } {
  const address = `/run/${operator.slug}/${slug}${link ?? ''}`;
  return {
    subject: `${slug} says: ${title}`,
    body: link === undefined ? text : `${text}\n\nSee ${address}`,
    facts: {
      installationId: id,
      slug,
      plugin,
      severity,
      ...(link !== undefined && { link: address }),
    },
  };
}
