import type { Secrets as SecretsContract } from '../../contract/capabilities/secrets.ts';
import { callHost, type Invocation } from '../invocation.ts';
import { freezeClass } from '../removals.ts';
import { assertByRuntime, BY_RUNTIME, denied, textJson } from './arguments.ts';

/** The capabilities `secrets` and `secret-values` of one invocation. */
class Secrets implements SecretsContract {
  readonly #invocation: Invocation;
  readonly #granted: boolean;
  readonly #showsValues: boolean;

  constructor(key: object, invocation: Invocation, granted: boolean, showsValues: boolean) {
    assertByRuntime(key);
    this.#invocation = invocation;
    this.#granted = granted;
    this.#showsValues = showsValues;
  }

  async names(): Promise<string[]> {
    if (!this.#granted) throw denied('secrets');
    return (await callHost(this.#invocation, 'secrets.names', '{}')) as string[];
  }

  async get(name: string): Promise<string> {
    if (!this.#showsValues) throw denied('secret-values');
    return (await callHost(this.#invocation, 'secret-values.get', `{"name":${textJson('name', name)}}`)) as string;
  }
}

freezeClass(Secrets, 'Secrets');

export const secretsOf = (invocation: Invocation, granted: boolean, showsValues: boolean): Secrets =>
  new Secrets(BY_RUNTIME, invocation, granted, showsValues);
