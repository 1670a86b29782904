import * as pulumi from "@pulumi/pulumi";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { generateSchema, type PackageSpec } from "@pulumi/pulumi/provider/experimental/schema";

/** What Pulumi's analyzer is given of the package. */
export interface Manifest {
  name: string;
  version: string;
  description: string;
}

/** The names of the components that an index.ts exports. */
export function componentsOf(sources: string): string[] {
  const exported = require(sources) as Record<string, unknown>;
  return Object.keys(exported).filter((name) => {
    const found = exported[name];
    return typeof found === "function" && found.prototype instanceof pulumi.ComponentResource;
  });
}

/**
 * The components as programs in other languages see them, read by Pulumi's analyzer from their sources.
 *
 * @param sources directory with a tsconfig.json and an index.ts that exports the components
 * @param components names of their classes
 */
export function schemaOf(sources: string, manifest: Manifest, components: readonly string[]): PackageSpec {
  const { name, version, description } = manifest;
  const analyzer = new Analyzer(sources, name, {}, new Set(components));
  referToOwnComponents(analyzer, manifest, components);
  const { components: found, typeDefinitions, dependencies } = analyzer.analyze();
  const others = dependencies.filter((dependency) => dependency.name !== name);
  const spec = generateSchema(name, version, description, found, typeDefinitions, others);
  const elsewhere = `/${name}/v${version}/schema.json#`;
  return JSON.parse(JSON.stringify(spec).replaceAll(`"${elsewhere}/resources/`, '"#/resources/')) as PackageSpec;
}

/** What the analyzer asks of a class that stands in an argument or an output. */
interface ResourceType {
  dependency: { name: string; version: string };
  pulumiType: string;
}

/**
 * The analyzer knows resources of Pulumi's own packages only, and finds them by a property of their compiled classes; the
 * schema and the engine know a reference to a component of the same package as well.
 */
function referToOwnComponents(analyzer: Analyzer, { name, version }: Manifest, components: readonly string[]): void {
  const asking = analyzer as unknown as {
    getResourceType(context: unknown, type: { getSymbol(): { name: string } | undefined }): ResourceType;
  };
  const ask = asking.getResourceType.bind(analyzer);
  asking.getResourceType = (context, type) => {
    const component = type.getSymbol()?.name ?? "";
    if (!components.includes(component)) return ask(context, type);
    return { dependency: { name, version }, pulumiType: `${name}:index:${component}` };
  };
}
