import manifest from '../package.json' with { type: 'json' };

/** SemVer of this Gatehouse; releases say with `engine` which ones they run on. */
export const HOST_VERSION: string = manifest.version;
