import {
  type DocumentFault,
  hookOfQueue,
  hookOfTopic,
  type Manifest,
  type PluginShape,
  routeKey,
} from '../contract/index.ts';

/** Hooks of the topics that it subscribes to, and of its queues. */
const derivedHooks = ({ events, queues }: Manifest): string[] => [
  ...(queues ?? []).map(({ name }) => hookOfQueue(name)),
  ...new Set((events?.subscribes ?? []).map(({ topic }) => hookOfTopic(topic))),
];

/** Every difference between what the manifest promises and what the code has, as faults of the manifest. */
export function compareShape(manifest: Manifest, shape: PluginShape): DocumentFault[] {
  const kinds = [
    { field: 'routes', declared: (manifest.routes ?? []).map(routeKey), handled: shape.routes },
    { field: 'hooks', declared: [...(manifest.hooks ?? []), ...derivedHooks(manifest)], handled: shape.hooks },
    { field: 'schedule', declared: (manifest.schedule ?? []).map(({ name }) => name), handled: shape.schedule },
  ];
  return kinds.flatMap(({ field, declared, handled }) => [
    ...declared.flatMap((name: string, at) =>
      handled.includes(name)
        ? []
        : [
            {
              pointer: `/${field}/${at}`,
              message: `"${name}" has no handler; add it to ${field} in ${manifest.entry}`,
            },
          ],
    ),
    ...handled
      .filter((name) => !declared.includes(name as never))
      .map((name) => ({
        pointer: `/${field}`,
        message: `does not declare "${name}", which ${manifest.entry} has a handler for; nobody could reach it`,
      })),
  ]);
}
