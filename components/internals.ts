/**
 * What a component knows and programs do not see. Pulumi's analyzer, which makes the schema for other languages, takes
 * every property of a component's class for an output, private ones too; so internals are kept beside the component, and
 * those that other components need are accessors of its class, marked `@internal`.
 */
export class Internals<Component extends object, Values extends object> {
  private readonly kept = new WeakMap<Component, Values>();

  /** @param what the component's class, for messages */
  constructor(private readonly what: string) {}

  /** For the component's constructor, once. */
  keep(component: Component, values: Values): void {
    this.kept.set(component, values);
  }

  of(component: Component): Values {
    const values = this.kept.get(component);
    if (values) return values;
    throw new Error(
      `this ${this.what} was made by another copy of hastack: let the program have one (\`npm ls hastack\` shows them)`,
    );
  }
}
