import { z } from "zod";
import { packageFile, packages } from "./converge/text";
import { parse } from "./validate";

const name = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, { message: "not the name of a Debian package" });
const version = z
  .string()
  .regex(/^[A-Za-z0-9.+~:-]+$/, { message: "give the version as `dpkg-deb --field FILE Version` says it" });
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, { message: "give what `sha256sum FILE` says: 64 hexadecimal digits" });

const schemas = {
  apt: z.object({ name, version: version.optional() }),
  file: z.object({ name, version, sha256, path: z.string().regex(/^\/\S+$/, { message: "give an absolute path" }) }),
  url: z.object({
    name,
    version,
    sha256,
    url: z
      .string()
      .regex(/^https?:\/\/[^\s"\\]+$/, { message: "give an address, e.g. https://mirror.example.com/x.deb" }),
  }),
};

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

/**
 * Where a host gets an application's package from.
 *
 * ```ts
 * PackageSource.apt("rudesktop", "2.7")
 * PackageSource.url({ name: "rudesktop", version: "2.7", sha256: "9f86…", url: "https://mirror.example.com/rudesktop.deb" })
 * PackageSource.path({ name: "rudesktop", version: "2.7", sha256: "9f86…", path: "/var/tmp/rudesktop.deb" })
 * ```
 */
export class PackageSource {
  private constructor(
    /** Name of the package. */
    readonly packageName: string,
    /** @internal The line of a unit that installs it. */
    readonly directive: string,
  ) {}

  /** From the hosts' package sources; without a version the one that is there. Upgrades by others are kept away. */
  static apt(name: string, version?: string): PackageSource {
    const found = parse("PackageSource", schemas.apt, { name, version });
    const wanted = found.version === undefined ? found.name : `${found.name}=${found.version}`;
    return new PackageSource(found.name, packages([wanted], { hold: true }));
  }

  /** From an http(s) server. */
  static url(args: PackageUrlArgs): PackageSource {
    const { name, version, sha256, url } = parse("PackageSource", schemas.url, args);
    return new PackageSource(name, packageFile(name, version, sha256, url));
  }

  /** From a file on the host. */
  static path(args: PackagePathArgs): PackageSource {
    const { name, version, sha256, path } = parse("PackageSource", schemas.file, args);
    return new PackageSource(name, packageFile(name, version, sha256, path));
  }
}
