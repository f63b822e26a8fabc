import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'sends requests that change while they are looked at, or that nothing could carry',
  code: jobIn(String.raw`
    const codes = [];
    const attempt = async (work) => codes.push(await Promise.resolve().then(work).then(() => 'sent', (error) => error.code ?? error.name));
    let asked = 0;
    await attempt(() => fetch({ toString: () => (asked++ === 0 ? 'https://api.example.com/' : 'file:///etc/passwd') }));
    await attempt(() => fetch('file:///etc/passwd'));
    await attempt(() => fetch('https://user:password@api.example.com/'));
    await attempt(() => fetch('https://169.254.169.254/latest/meta-data/'));
    await attempt(() => fetch('https://api.example.com/', { headers: { 'x-a': 'b\r\nx-b: c' } }));
    await attempt(() => fetch('https://api.example.com/', { method: 'CONNECT' }));
    await attempt(() => fetch('https://api.example.com/', { method: 'GET / HTTP/1.1\r\nx: y' }));
    await attempt(() => fetch('https://api.example.com/' + 'x'.repeat(1e6)));
    await attempt(() => fetch('https://api.example.com/', { method: 'POST', body: 'x'.repeat(2e6) }));
    await attempt(() => fetch('https://api.example.com/', { headers: Array.from({ length: 1000 }, (_, at) => ['x-' + at, 'a']) }));
    await attempt(() => fetch('https://api.example.com/', { redirect: 'wherever' }));
    return codes.map((code) => (code === 'sent' ? code : 'refused'));`),
  ends: { answers: Array(11).fill('refused') },
  // Texts of megabytes, on a busy machine.
  limits: { cpuMs: 1_000 },
} satisfies Attack;
