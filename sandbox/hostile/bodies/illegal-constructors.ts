import { type Attack, jobIn } from '../attack.ts';

export default {
  that: 'makes the parts of streams that only streams make',
  code: jobIn(`
    const names = [];
    for (const Class of [ReadableStreamDefaultController, ReadableByteStreamController, ReadableStreamBYOBRequest, WritableStreamDefaultController, TransformStreamDefaultController])
      for (const args of [[], [{}], [{}, {}], [ReadableStream, null]]) try { new Class(...args); names.push(Class.name); } catch (error) { if (error.name !== 'TypeError') names.push(error.name); }
    const steal = Object.getOwnPropertyDescriptor(ReadableStream.prototype, 'locked').get;
    for (const other of [{}, null, Object.create(ReadableStream.prototype), new Proxy(new ReadableStream(), {})]) try { steal.call(other); names.push('read'); } catch (error) { if (error.name !== 'TypeError') names.push(error.name); }
    return names;`),
  ends: { answers: [] },
} satisfies Attack;
