/** A result that is JSON text already: whoever has it need not parse it so that the broker can write it again. */
export class JsonText {
  readonly json: string;
  constructor(json: string) {
    this.json = json;
  }
}
