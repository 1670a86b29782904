/** Lines for the user, sent through the engine so that they appear beside the resource they are about. */
import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import type { Log } from "./resource";

export class EngineLog {
  private client: EngineClient | undefined;
  /** One line after another, so that they are shown in the order they were printed. */
  private queue: Promise<void> = Promise.resolve();

  constructor(private address: string | undefined) {}

  attach(address: string): void {
    this.address = address;
    this.client = undefined;
  }

  forResource(urn: string): Log {
    return {
      status: (message) => this.send(LogSeverity.INFO, message, urn, true),
      warning: (message) => this.send(LogSeverity.WARNING, message, urn, false),
      flushed: () => this.queue,
    };
  }

  info(message: string): void {
    this.send(LogSeverity.INFO, message, "", false);
  }

  private send(severity: LogSeverity, message: string, urn: string, ephemeral: boolean): void {
    if (!this.address) return;
    this.client ??= new EngineClient(this.address, credentials.createInsecure());
    const client = this.client;
    const request = new LogRequest();
    request.setSeverity(severity);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    // A lost log line must not fail the operation it belongs to.
    this.queue = this.queue.then(() => new Promise((resolve) => client.log(request, () => resolve())));
  }
}
