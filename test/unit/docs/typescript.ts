import { join } from "node:path";
import * as ts from "typescript";
import { type Block, place, root } from "./blocks";

/** What a block may use without saying where it comes from: the package's classes, and things of the reader's own. */
const prelude = `
import type * as hastack from "hastack";
declare global {
  const hosts: hastack.Host[], members: hastack.Host[];
  const psql1: hastack.Host, psql2: hastack.Host, psql3: hastack.Host, proxy1: hastack.Host, proxy2: hastack.Host;
  const node1: hastack.Host, node2: hastack.Host, node3: hastack.Host, nginx1: hastack.Host, nginx2: hastack.Host;
  const redis1: hastack.Host, redis2: hastack.Host, redis3: hastack.Host;
  const ca: hastack.CertificateAuthority, etcd: hastack.EtcdQuorum, pg: hastack.PostgresPatroniCluster;
  const db: hastack.PgBouncerVipPair, redis: hastack.RedisSecured;
  const nodes: hastack.Upstream[];
  /** Settings of the stack. */
  const config: import("@pulumi/pulumi").Config;
  /** PEM, or a key as SSH has it. */
  const key: string, privateKey: string, fullChain: string, companyAuthority: string, secretKey: string;
}
`;

/** What the compiler has against the blocks, each a module of its own, in one program. */
export function typeErrors(blocks: readonly Block[]): string[] {
  const folder = join(root, "docs/blocks");
  const classes = ["CertificateAuthority", "EtcdQuorum", "Host", "NginxBalancer", "PackageSource", "PgBouncerVipPair"];
  const more = [
    "PostgresPatroniCluster",
    "RedisSecured",
    "RuDesktopCluster",
    "RuDesktopNode",
    "WorksPadCluster",
    "WorksPadNode",
    "inventory",
  ];
  const globals = [...classes, ...more]
    .map((name) => `declare global { const ${name}: typeof hastack.${name}; }`)
    .join("\n");
  const sources = new Map([
    [join(folder, "prelude.ts"), `${prelude}${globals}`],
    ...blocks.map((block, i): [string, string] => [join(folder, `${i}.ts`), `${block.text}\nexport {};\n`]),
  ]);
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const wanted: ts.CompilerOptions = {
    ...options,
    noEmit: true,
    noUnusedLocals: false,
    baseUrl: root,
    paths: { hastack: ["components/index.ts"] },
  };
  const host = ts.createCompilerHost(wanted);
  const { fileExists, getSourceFile, readFile } = host;
  host.fileExists = (path) => sources.has(path) || fileExists(path);
  host.readFile = (path) => sources.get(path) ?? readFile(path);
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const text = sources.get(path);
    return text === undefined
      ? getSourceFile(path, languageVersion, ...rest)
      : ts.createSourceFile(path, text, languageVersion, true);
  };
  const program = ts.createProgram([...sources.keys()], wanted, host);
  return [...sources.keys()].flatMap((path, i) => {
    const source = program.getSourceFile(path);
    const block = blocks[i - 1];
    const where = block ? place(block) : "the prelude";
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${where}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`,
    );
  });
}
