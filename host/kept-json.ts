const texts = new WeakMap<object, string>();

/** As JSON: once for what was kept. */
export const jsonOf = (value: object): string => texts.get(value) ?? JSON.stringify(value);

/** For what never changes and is written again and again; returns it. */
export function keepJson<Value extends object>(value: Value): Value {
  texts.set(value, JSON.stringify(value));
  return value;
}
