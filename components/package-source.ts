import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { packageFile, packages } from "./converge/text";
import { checked, parse } from "./validate";

const name = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, { message: "not the name of a Debian package" });
const version = z
  .string()
  .regex(/^[A-Za-z0-9.+~:-]+$/, { message: "give the version as `dpkg-deb --field FILE Version` says it" });
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, { message: "give what `sha256sum FILE` says: 64 hexadecimal digits" });

const packageSchema = z
  .object({
    name,
    version: version.optional(),
    sha256: sha256.optional(),
    url: z
      .string()
      .regex(/^https?:\/\/[^\s"\\]+$/, { message: "give an address, e.g. https://mirror.example.com/x.deb" })
      .optional(),
    path: z
      .string()
      .regex(/^\/\S+$/, { message: "give an absolute path" })
      .optional(),
  })
  .refine(({ url, path }) => url === undefined || path === undefined, {
    path: ["path"],
    message: "the file is downloaded already: give either a url or a path",
  })
  .superRefine((given, context) => {
    const fileGiven = given.url !== undefined || given.path !== undefined;
    const fault = (argument: string, message: string) =>
      context.addIssue({ code: "custom", path: [argument], message });
    if (fileGiven && given.version === undefined) fault("version", "`dpkg-deb --field FILE Version` says it: give it");
    if (fileGiven && given.sha256 === undefined) fault("sha256", "give what `sha256sum FILE` says");
    if (!fileGiven && given.sha256 !== undefined)
      fault("sha256", "it is the digest of a file: give its url or path too");
  });

/** A .deb file that is in no package source. */
export interface PackageFileArgs {
  /** Name of the package: `dpkg-deb --field FILE Package`. */
  name: string;
  /** Its version: `dpkg-deb --field FILE Version`. */
  version: string;
  /** Digest of the file: `sha256sum FILE`. What has another one is not installed. */
  sha256: string;
}

/** A .deb file that hosts download. */
export interface PackageUrlArgs extends PackageFileArgs {
  /** Where it is, e.g. `https://mirror.example.com/rudesktop_2.7.deb`. */
  url: string;
}

/** A .deb file that is on the hosts already. */
export interface PackagePathArgs extends PackageFileArgs {
  /** Absolute path on the host. */
  path: string;
}

/** An application's package, and where hosts get it from: their package sources, or a file. */
export interface PackageArgs {
  /** Name of the package. */
  name: pulumi.Input<string>;
  /**
   * Its version; with a file it must be given.
   * @default the one that is installed, or else that the hosts' package sources have
   */
  version?: pulumi.Input<string>;
  /** With a file, its digest: `sha256sum FILE`. What has another one is not installed. */
  sha256?: pulumi.Input<string>;
  /** A .deb file that hosts download, e.g. `https://mirror.example.com/rudesktop_2.7.deb`. */
  url?: pulumi.Input<string>;
  /** A .deb file that is on the hosts: its absolute path there. */
  path?: pulumi.Input<string>;
}

/**
 * Where a host gets an application's package from.
 *
 * ```ts
 * PackageSource.apt("rudesktop", "2.7")
 * PackageSource.url({ name: "rudesktop", version: "2.7", sha256: "9f86…", url: "https://mirror.example.com/rudesktop.deb" })
 * PackageSource.path({ name: "rudesktop", version: "2.7", sha256: "9f86…", path: "/var/tmp/rudesktop.deb" })
 * ```
 */
export const PackageSource = {
  /** From the hosts' package sources; without a version the one that is there. Upgrades by others are kept away. */
  apt: (name: string, version?: string): PackageArgs => refused({ name, ...(version !== undefined && { version }) }),
  /** From an http(s) server. */
  url: (args: PackageUrlArgs): PackageArgs => refused(args),
  /** From a file on the host. */
  path: (args: PackagePathArgs): PackageArgs => refused(args),
};

/** What is wrong is said where it is written. */
function refused<Args>(args: Args): Args {
  parse("PackageSource", packageSchema, args);
  return args;
}

/** How a unit installs an application. */
export interface Installation {
  /** The line that installs the package. */
  install: string;
  packageName: string;
}

export function installationOf(resource: string, args: PackageArgs): pulumi.Output<Installation> {
  return checked(resource, z.object({ package: packageSchema }), { package: args }).apply((given) => {
    const { name, version, sha256, url, path } = given.package;
    const source = url ?? path;
    // With a source the schema has seen to both.
    if (source && version && sha256) return { install: packageFile(name, version, sha256, source), packageName: name };
    return { install: packages([version ? `${name}=${version}` : name], { hold: true }), packageName: name };
  });
}
