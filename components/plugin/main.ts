/** What Pulumi starts for programs in other languages, see PulumiPlugin.yaml. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { tellUnsetProtection } from "./protection";
import { ComponentProvider } from "./provider";

tellUnsetProtection();
const schema = readFileSync(join(__dirname, "schema.json"), "utf8");
void pulumi.provider.main(new ComponentProvider(schema), process.argv.slice(2));
