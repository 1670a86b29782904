/** What a plugin must say about each of its resource types; `server.ts` turns it into the provider protocol. */
import type { Failure } from "./arguments";
import type { Change } from "./diff";
import type { Properties } from "./values";

/** The circumstances of one create, update or delete. */
export interface Operation {
  urn: string;
  /** The resource's logical name. */
  name: string;
  /** Aborted when the user cancels the run, or when the resource's custom timeout has passed. */
  signal: AbortSignal;
  log: Log;
}

export interface Log {
  /** A passing line beside the resource while it is being worked on. */
  status(message: string): void;
  warning(message: string): void;
  /** Resolves when everything said so far has reached the engine. */
  flushed(): Promise<void>;
}

export interface Checked {
  inputs: Properties;
  failures: Failure[];
}

export interface Prior {
  inputs: Properties;
  outputs: Properties;
}

export interface Diff {
  changes: Change[];
  replaces(change: Change): boolean;
}

export interface ResourceType {
  check(inputs: Properties): Checked;
  diff(prior: Prior, inputs: Properties): Diff;
  /** The outputs a create will have, as far as they are known before it. */
  planCreate(inputs: Properties): Properties;
  create(inputs: Properties, operation: Operation): Promise<{ id: string; outputs: Properties }>;
  planUpdate(prior: Prior, inputs: Properties): Properties;
  update(prior: Prior, inputs: Properties, operation: Operation): Promise<Properties>;
  delete?(outputs: Properties, operation: Operation): Promise<void>;
  /** What `pulumi refresh` finds; without it, the state as it is. */
  refresh?(outputs: Properties): Properties;
}

export interface Plugin {
  name: string;
  version: string;
  resources: Readonly<Record<string, ResourceType>>;
  /** Functions a program calls without a resource. */
  functions: Readonly<Record<string, (args: Properties, operation: Operation) => Promise<Properties>>>;
}
