import * as pulumi from "@pulumi/pulumi";
import * as api from "..";
import { fault } from "../fault";

type Component = new (
  name: string,
  args: pulumi.Inputs,
  opts: pulumi.ComponentResourceOptions,
) => pulumi.ComponentResource;

/** The part of the package's schema by which arguments are read. */
interface Schema {
  name: string;
  version: string;
  resources: Record<string, { inputProperties: Record<string, { plain?: boolean }>; properties: object }>;
}

/**
 * Makes components for programs in other languages: one process for all of a run.
 *
 * Such a program has a component's outputs only, and hands a reference to it on to another one. What the two have to know
 * of each other besides is there all the same: the reference leads to the component itself, which this process has made.
 */
export class ComponentProvider implements pulumi.provider.Provider {
  readonly version: string;
  private readonly known: Schema;
  private readonly made = new Map<string, pulumi.ComponentResource>();

  /** @param schema the package's schema, JSON */
  constructor(readonly schema: string) {
    this.known = JSON.parse(schema) as Schema;
    this.version = this.known.version;
    pulumi.runtime.registerResourceModule(this.known.name, "index", {
      version: this.version,
      construct: (name, type, urn) => this.referredTo(name, type, urn),
    });
  }

  async construct(
    name: string,
    type: string,
    inputs: pulumi.Inputs,
    opts: pulumi.ComponentResourceOptions,
  ): Promise<pulumi.provider.ConstructResult> {
    const definition = this.known.resources[type];
    const className = type.split(":")[2] ?? "";
    if (!definition) throw fault(`${type}: there is no such component in ${this.known.name} ${this.version}`);
    const Made = (api as unknown as Record<string, Component>)[className] as Component;
    const args = await withPlain(`${className} ${name}`, inputs, definition.inputProperties);
    const component = new Made(name, args, opts);
    this.made.set(await promised(component.urn), component);
    const outputs = component as unknown as pulumi.Inputs;
    return {
      urn: component.urn,
      state: Object.fromEntries(Object.keys(definition.properties).map((output) => [output, outputs[output]])),
    };
  }

  private referredTo(name: string, type: string, urn: string): pulumi.ComponentResource {
    const component = this.made.get(urn);
    if (component) return component;
    throw fault(
      `${type} ${name}: another run, or another provider, has made it: components that are given to each other must be of ` +
        "one program, and without a provider of their own",
    );
  }
}

/** What is no input of a component but a plain value comes wrapped, too, if it holds a reference to a resource. */
async function withPlain(
  resource: string,
  inputs: pulumi.Inputs,
  properties: Record<string, { plain?: boolean }>,
): Promise<pulumi.Inputs> {
  const args: pulumi.Inputs = {};
  for (const [name, value] of Object.entries(inputs)) {
    args[name] =
      properties[name]?.plain && pulumi.Output.isInstance(value) ? await plain(resource, name, value) : value;
  }
  return args;
}

async function plain(resource: string, name: string, value: pulumi.Output<unknown>): Promise<unknown> {
  const { isSecret, isKnown } = value as unknown as Settled<unknown>;
  if (await isSecret) throw fault(`${resource}: ${name}: is secret as a whole: mark as secret only what of it is`);
  if (!(await isKnown)) {
    throw fault(`${resource}: ${name}: is not known before another resource is made: give a value that is`);
  }
  return promised(value);
}

function promised<T>(value: pulumi.Output<T>): Promise<T> {
  return (value as unknown as Settled<T>).promise();
}

/** What an output tells beside its value; not in the SDK's types. */
interface Settled<T> {
  isKnown: Promise<boolean>;
  isSecret: Promise<boolean>;
  promise(): Promise<T>;
}
