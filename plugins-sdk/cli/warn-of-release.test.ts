import { expect } from 'chai';
import type { Release } from '../../registry/index.ts';
import { warnOfRelease } from './warn-of-release.ts';

describe('warnOfRelease', () => {
  const said = async (release: Partial<Release> | null) => {
    const notes: string[] = [];
    const cli = { note: (text: string) => void notes.push(text), paint: (_style: unknown, text: string) => text };
    const sound = { state: 'published', yanked: null, deprecated: null, blocked: null };
    const findRelease = async () => {
      if (release === null) throw new Error('unreachable');
      return { ...sound, ...release } as Release;
    };
    await warnOfRelease(cli as never, { findRelease }, { plugin: 'acme/hello', version: '1.0.0' });
    return notes;
  };

  it('tells of a deprecation with what to take instead, and of nothing where nothing speaks against it', async () => {
    const deprecated = { reason: 'Loses orders.', replacement: '1.0.1', at: '' } as never;
    expect(await said({ deprecated })).to.deep.equal(['• acme/hello@1.0.0 is deprecated: Loses orders. Take 1.0.1.']);
    expect(await said({})).to.deep.equal([]);
  });

  it('stops nobody where the release cannot be looked up', async () => {
    expect(await said(null)).to.deep.equal([]);
  });
});
