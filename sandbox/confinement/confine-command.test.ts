import { expect } from 'chai';
import { type Confined, confineCommand } from './confine-command.ts';
import { ALL_LAYERS, type KernelLayer } from './layers.ts';

const tools = { unshare: '/u', setpriv: '/s', prlimit: '/p', perl: '/perl', sh: '/sh', env: '/env' };
const confined = (layers: KernelLayer[], more: Partial<Confined> = {}): Confined => ({
  layers: new Set(layers),
  tools,
  isRoot: true,
  hasOwnAccount: true,
  arch: 'x64',
  root: { readable: ["/code/it's here/"], cwd: '/code', kindOf: (path) => (path.endsWith('/') ? 'folder' : null) },
  descriptorsMax: 100,
  threadsMax: 50,
  ...more,
});

describe('confineCommand', () => {
  it('changes nothing without layers', () => {
    expect(confineCommand(['/node', 'x'], confined([]))).to.deep.equal(['/node', 'x']);
  });

  it('ends with the command, whatever stands before it', () => {
    for (const layer of ALL_LAYERS) {
      expect(confineCommand(['/node', 'x'], confined([layer])).slice(-2), layer).to.deep.equal(['/node', 'x']);
    }
  });

  it('says which program is missing', () => {
    const without = { tools: { ...tools, perl: null } };
    expect(() => confineCommand(['/node'], confined(['system-call-filter'], without))).to.throw('no program perl');
    expect(() => confineCommand(['/node'], confined(['system-call-filter'], { arch: 'mips' }))).to.throw('mips');
  });

  it('makes a user namespace for an ordinary account only, and leaves its root again', () => {
    const ordinary = confineCommand(['/node'], confined(['own-network'], { isRoot: false }));
    expect(ordinary.slice(0, 3)).to.deep.equal(['/u', '--user', '--map-root-user']);
    expect(ordinary.slice(-4, -1)).to.deep.equal(['--user', '--map-user=65534', '--map-group=65534']);
    expect(confineCommand(['/node'], confined(['own-network']))).to.not.include('--user');
  });

  it('counts threads only where nobody else’s are counted', () => {
    const limits = (more: Partial<Confined>, layers: KernelLayer[] = []) =>
      confineCommand(['/node'], confined(['resource-limits', ...layers], more)).join(' ');
    expect(limits({})).to.include('--nproc=50');
    expect(limits({ hasOwnAccount: false })).to.not.include('--nproc');
    expect(limits({ isRoot: false, hasOwnAccount: false })).to.not.include('--nproc');
    expect(limits({ isRoot: false, hasOwnAccount: false }, ['own-network'])).to.include('--nproc=50');
  });

  it('quotes the paths of the code for the shell and for the table of mounts', () => {
    const script = confineCommand(['/node'], confined(['own-root'])).find((word) => word.includes('pivot_root'))!;
    expect(script).to.include(`mkdir -p proc old './code/it'\\''s here'`);
    expect(script).to.include(`'/code/it'\\''s\\040here /sys/code/it'\\''s\\040here none rbind,ro,nosuid,nodev 0 0'`);
  });
});
