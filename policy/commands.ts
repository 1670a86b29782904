import { UnknownValueError } from "@pulumi/policy";

/** How policies read the remote commands of a stack. */

/** Part of a resource as a policy sees it. */
export interface Seen {
  type: string;
  name: string;
  urn: string;
  props: Record<string, unknown>;
}

export interface Connection {
  host?: string;
  hostKey?: string;
  privateKey?: string;
  password?: string;
  proxy?: Connection;
}

/** A unit: what one role of one host must look like. */
export interface Unit extends Seen {
  host: string;
  role: string;
  text: string;
}

/** A value, or undefined while it is not known: a policy that reads such a one is not run to its end. */
export function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnknownValueError) return undefined;
    throw error;
  }
}

/** Every resource that is reached over SSH: `command:remote:Command`, `command:remote:CopyToRemote`, … */
export function connectionOf({ type, props }: Seen): Connection | undefined {
  return type.startsWith("command:remote:") ? (known(() => props.connection as Connection) ?? {}) : undefined;
}

/** The unit that a command applies; undefined for any other command. What removes it is known before what makes it. */
export function unitOf(resource: Seen): Unit | undefined {
  const role = /converge remove (\S+)/.exec(textOf(resource, "delete"))?.[1];
  const connection = connectionOf(resource);
  if (role === undefined || !connection) return undefined;
  return { ...resource, host: known(() => connection.host) ?? resource.name, role, text: textOf(resource, "stdin") };
}

/** A property's text; none while it is not known. */
export function textOf({ props }: Seen, property: string): string {
  const value = known(() => props[property]);
  return typeof value === "string" ? value : "";
}

export function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}
