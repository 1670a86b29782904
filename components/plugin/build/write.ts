/** Writes the package's schema: `write.ts FILE`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { componentsOf, type Manifest, schemaOf } from "./schema";

const [file = "schema.json"] = process.argv.slice(2);
const sources = join(__dirname, "../..");
const manifest = JSON.parse(readFileSync(join(sources, "../package.json"), "utf8")) as Manifest;
writeFileSync(file, `${JSON.stringify(schemaOf(sources, manifest, componentsOf(sources)), undefined, 2)}\n`);
