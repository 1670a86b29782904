import type { ResourceValidationPolicy } from "@pulumi/policy";
import { type Seen, textOf, unitOf } from "./commands";

/** A unit's line for a directory that holds data; logs are none. */
const data = /^data (?!\/var\/log\/)(\S+)/m;

export const dataIsProtected: ResourceValidationPolicy = {
  name: "data-is-protected",
  description: "What holds data is protected from deletion, and does not take it along.",
  validateResource: (resource, report) => {
    const unit = unitOf(resource as Seen);
    const directory = data.exec(unit?.text ?? "")?.[1];
    if (directory === undefined) return;
    if (!resource.opts.protect)
      report(`holds ${directory} and may be deleted: take \`protect: false\` out of its options`);
    if (/ --purge\b/.test(textOf(resource as Seen, "delete"))) {
      report(`${directory} is deleted with it: take \`purge: true\` out of the component's arguments`);
    }
  },
};
