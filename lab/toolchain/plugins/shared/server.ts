/**
 * The resource provider protocol, server side, on the SDK's own protobuf definitions.
 * The SDK's `provider` module is not used: it never runs create or update in a preview, gives no detailed diff,
 * and hands a plugin neither the user's cancellation nor a resource's timeout.
 */
import { setMaxListeners } from "node:events";
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { type PluginAttach, PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { ChangeKind } from "./diff";
import type { EngineLog } from "./engine-log";
import type { Diff, Operation, Plugin, Prior, ResourceType } from "./resource";
import { fromWire, toWire } from "./values";

/** Files and outputs travel inside messages; the default limit of 4 MiB is too low for them. */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

const { Kind } = proto.PropertyDiff;
const KINDS: Record<ChangeKind, { inPlace: proto.PropertyDiff.Kind; replacing: proto.PropertyDiff.Kind }> = {
  add: { inPlace: Kind.ADD, replacing: Kind.ADD_REPLACE },
  delete: { inPlace: Kind.DELETE, replacing: Kind.DELETE_REPLACE },
  update: { inPlace: Kind.UPDATE, replacing: Kind.UPDATE_REPLACE },
};

export class ProviderServer {
  private readonly cancelled = new AbortController();

  constructor(
    private readonly plugin: Plugin,
    private readonly log: EngineLog,
  ) {
    // Every operation under way listens, and an engine runs many at once.
    setMaxListeners(0, this.cancelled.signal);
  }

  /** Serves on a free loopback port until the engine ends the process. */
  async listen(): Promise<number> {
    const server = new Server({
      "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
      "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
    });
    server.addService(ResourceProviderService, this.service());
    return new Promise((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
  }

  private service(): UntypedServiceImplementation {
    return {
      getPluginInfo: unary(async () => new PluginInfo().setVersion(this.plugin.version)),
      attach: unary(async (request: PluginAttach) => {
        this.log.attach(request.getAddress());
        return new Empty();
      }),
      cancel: unary(async () => {
        this.cancelled.abort(new Error("cancelled by the user"));
        return new Empty();
      }),
      getSchema: unary(async () => {
        const { name, version } = this.plugin;
        return new proto.GetSchemaResponse().setSchema(JSON.stringify({ name, version }));
      }),
      checkConfig: unary(async (request: proto.CheckRequest) => new proto.CheckResponse().setInputs(request.getNews())),
      diffConfig: unary(async () => new proto.DiffResponse().setChanges(proto.DiffResponse.DiffChanges.DIFF_NONE)),
      configure: unary(async () => new proto.ConfigureResponse().setSupportspreview(true)),
      check: unary((request: proto.CheckRequest) => this.check(request)),
      diff: unary((request: proto.DiffRequest) => this.diff(request)),
      create: unary((request: proto.CreateRequest) => this.create(request)),
      read: unary((request: proto.ReadRequest) => this.read(request)),
      update: unary((request: proto.UpdateRequest) => this.update(request)),
      delete: unary((request: proto.DeleteRequest) => this.delete(request)),
      invoke: unary((request: proto.InvokeRequest) => this.invoke(request)),
    };
  }

  private async check(request: proto.CheckRequest): Promise<proto.CheckResponse> {
    const resource = this.resource(request.getUrn());
    const { inputs, failures } = resource.check(fromWire(request.getNews()));
    return new proto.CheckResponse()
      .setInputs(toWire(inputs))
      .setFailuresList(failures.map((f) => new proto.CheckFailure().setProperty(f.property).setReason(f.reason)));
  }

  private async diff(request: proto.DiffRequest): Promise<proto.DiffResponse> {
    const resource = this.resource(request.getUrn());
    return diffResponse(resource.diff(prior(request), fromWire(request.getNews())));
  }

  private async create(request: proto.CreateRequest): Promise<proto.CreateResponse> {
    const resource = this.resource(request.getUrn());
    const inputs = fromWire(request.getProperties());
    if (request.getPreview()) return new proto.CreateResponse().setProperties(toWire(resource.planCreate(inputs)));
    const { id, outputs } = await this.run(request, (operation) => resource.create(inputs, operation));
    return new proto.CreateResponse().setId(id).setProperties(toWire(outputs));
  }

  private async update(request: proto.UpdateRequest): Promise<proto.UpdateResponse> {
    const resource = this.resource(request.getUrn());
    const inputs = fromWire(request.getNews());
    const outputs = request.getPreview()
      ? resource.planUpdate(prior(request), inputs)
      : await this.run(request, (operation) => resource.update(prior(request), inputs, operation));
    return new proto.UpdateResponse().setProperties(toWire(outputs));
  }

  private async delete(request: proto.DeleteRequest): Promise<Empty> {
    const resource = this.resource(request.getUrn());
    await this.run(request, async (operation) => resource.delete?.(fromWire(request.getProperties()), operation));
    return new Empty();
  }

  private async read(request: proto.ReadRequest): Promise<proto.ReadResponse> {
    const resource = this.resource(request.getUrn());
    const outputs = fromWire(request.getProperties());
    if (Object.keys(outputs).length === 0) {
      throw new Error(`The stand-in plugin "${this.plugin.name}" cannot import: create ${request.getUrn()} instead.`);
    }
    return new proto.ReadResponse()
      .setId(request.getId())
      .setInputs(request.getInputs())
      .setProperties(toWire(resource.refresh?.(outputs) ?? outputs));
  }

  private async invoke(request: proto.InvokeRequest): Promise<proto.InvokeResponse> {
    const call = this.plugin.functions[request.getTok()];
    if (!call) throw new Error(`The stand-in plugin "${this.plugin.name}" has no function ${request.getTok()}`);
    const unowned = { getUrn: () => "", getTimeout: () => 0 };
    const result = await this.run(unowned, (operation) => call(fromWire(request.getArgs()), operation));
    return new proto.InvokeResponse().setReturn(toWire(result));
  }

  private async run<T>(
    request: { getUrn(): string; getTimeout(): number },
    work: (operation: Operation) => Promise<T>,
  ): Promise<T> {
    const urn = request.getUrn();
    const seconds = request.getTimeout();
    const signal = seconds > 0 ? AbortSignal.any([this.cancelled.signal, timeout(seconds)]) : this.cancelled.signal;
    const log = this.log.forResource(urn);
    try {
      signal.throwIfAborted();
      return await work({ urn, name: urn.split("::").slice(3).join("::"), signal, log });
    } finally {
      await log.flushed();
    }
  }

  private resource(urn: string): ResourceType {
    const type = urn.split("::")[2]?.split("$").pop() ?? "";
    const resource = this.plugin.resources[type];
    if (resource) return resource;
    const known = Object.keys(this.plugin.resources).join(", ");
    throw new Error(`The stand-in plugin "${this.plugin.name}" has no resource type ${type}. It has: ${known}`);
  }
}

function timeout(seconds: number): AbortSignal {
  const controller = new AbortController();
  const error = new Error(`timed out after ${seconds} s (the resource's customTimeouts)`);
  setTimeout(() => controller.abort(error), seconds * 1000).unref();
  return controller.signal;
}

function prior(request: proto.DiffRequest | proto.UpdateRequest): Prior {
  return { inputs: fromWire(request.getOldInputs()), outputs: fromWire(request.getOlds()) };
}

function diffResponse({ changes, replaces }: Diff): proto.DiffResponse {
  const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
  const response = new proto.DiffResponse()
    .setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE)
    .setDiffsList([...new Set(changes.map((change) => change.property))])
    .setReplacesList([...new Set(changes.filter(replaces).map((change) => change.property))])
    .setHasdetaileddiff(true);
  for (const change of changes) {
    const kind = KINDS[change.kind][replaces(change) ? "replacing" : "inPlace"];
    response.getDetaileddiffMap().set(change.path, new proto.PropertyDiff().setKind(kind));
  }
  return response;
}

function unary<Request, Response>(handle: (request: Request) => Promise<Response>) {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): void => {
    handle(call.request).then(
      (response) => callback(null, response),
      (error: Error) => callback({ code: status.UNKNOWN, details: error.message }),
    );
  };
}
