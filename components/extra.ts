import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { withAdditions } from "./converge/additions";
import { fault } from "./fault";
import { checked } from "./validate";

/** A further file on every host of a component. */
export interface ExtraFileArgs {
  /** What is in it. It is shown in previews: no secrets. */
  content: pulumi.Input<string>;
  /** Octal. @default "0644" */
  mode?: pulumi.Input<string>;
  /** `user:group`. @default "root:root" */
  owner?: pulumi.Input<string>;
  /** Services of the component that are restarted when it changes. @default [] */
  restarts?: pulumi.Input<pulumi.Input<string>[]>;
  /** Services of the component that are reloaded when it changes. @default [] */
  reloads?: pulumi.Input<pulumi.Input<string>[]>;
}

/** A further directory on every host of a component. */
export interface ExtraDirectoryArgs {
  /** Octal. @default "0755" */
  mode?: pulumi.Input<string>;
  /** `user:group`. @default "root:root" */
  owner?: pulumi.Input<string>;
}

/** What a component does not foresee, on every host of it (docs/escape-hatches.md). */
export interface ExtraArgs {
  /**
   * Further directories, by path.
   * @example { "/etc/systemd/system/etcd.service.d": {} }
   */
  directories?: pulumi.Input<Record<string, pulumi.Input<ExtraDirectoryArgs>>>;
  /**
   * Further files, by path; they are there before a service starts.
   * @example { "/etc/systemd/system/etcd.service.d/nice.conf": { content: "[Service]\nNice=-5\n", restarts: ["etcd"] } }
   */
  files?: pulumi.Input<Record<string, pulumi.Input<ExtraFileArgs>>>;
  /**
   * Lines for the end of files that the component writes, by path. They are shown in previews: no secrets.
   * @example { "/etc/default/etcd": "ETCD_LOG_LEVEL=warn" }
   */
  lines?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * Scripts for root's shell on the host, by service, that run right before a restart of it. One that fails keeps the
   * service from being restarted, and fails the run.
   * @example { etcd: "logger 'etcd restarts'" }
   */
  beforeRestart?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * The same right after a restart. One that fails, fails the run; the next run restarts the service again.
   */
  afterRestart?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

const path = z.string().regex(/^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9_.@+-]+)+$/, {
  message: "give an absolute path of letters, digits and _.@+-",
});
const mode = z.string().regex(/^0[0-7]{3}$/, { message: 'give four octal digits, e.g. "0640"' });
const owner = z
  .string()
  .regex(/^[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+$/, { message: 'give user and group, e.g. "root:root"' });
const service = z.string().regex(/^[A-Za-z0-9:_.@-]+$/, { message: "not the name of a service" });
const some = z.string().regex(/\S/, { message: "there is nothing in it: leave it out" });

const schema = z.strictObject({
  directories: z
    .record(path, z.strictObject({ mode: mode.default("0755"), owner: owner.default("root:root") }))
    .default({}),
  files: z
    .record(
      path,
      z.strictObject({
        content: z.string(),
        mode: mode.default("0644"),
        owner: owner.default("root:root"),
        restarts: z.array(service).default([]),
        reloads: z.array(service).default([]),
      }),
    )
    .default({}),
  lines: z.record(z.string(), some).default({}),
  beforeRestart: z.record(service, some).default({}),
  afterRestart: z.record(service, some).default({}),
});

/** A unit's text with what the program adds to it. */
export function extended(
  resource: string,
  extra: ExtraArgs | undefined,
  text: pulumi.Output<string>,
): pulumi.Output<string> {
  if (!extra) return text;
  const given = checked(resource, z.object({ extra: schema }), { extra });
  const wrong = (where: readonly string[], message: string) =>
    fault(`${resource}: extra.${where.join(".")}: ${message}`);
  return pulumi.all([text, given, pulumi.isSecret(given)]).apply(([rendered, { extra: additions }, secret]) => {
    if (secret)
      throw fault(`${resource}: extra: holds a secret, which previews would show: put it on the host otherwise`);
    return withAdditions(rendered, additions, wrong);
  });
}
