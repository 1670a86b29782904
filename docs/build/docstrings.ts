import { join, resolve } from "node:path";
import * as ts from "typescript";

export const root = resolve(__dirname, "../..");

/** An argument of a component. */
export interface Argument {
  name: string;
  /** As a program writes it: without `pulumi.Input`. */
  type: string;
  required: boolean;
  default: string;
  example: string;
  text: string;
}

/** A class or an interface that the package exports. */
export interface Documented {
  name: string;
  isClass: boolean;
  /** Its comment, in Markdown. */
  text: string;
  /** Of an interface. */
  arguments: Argument[];
  /** Names of exported interfaces that its arguments have. */
  uses: string[];
}

/** Everything that the package exports, with its comments, as the TypeScript compiler reads them. */
export function exported(): Map<string, Documented> {
  const entry = join(root, "components/index.ts");
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram([entry], { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${entry} exports nothing`);
  const found = new Map<string, Documented>();
  for (const symbol of checker.getExportsOfModule(module)) {
    const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const declaration = real.declarations?.find(
      (node) => ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node),
    );
    if (declaration) found.set(symbol.name, documented(symbol.name, real, declaration, checker));
  }
  for (const one of found.values()) one.uses = one.uses.filter((name) => found.get(name)?.isClass === false);
  return found;
}

function documented(name: string, symbol: ts.Symbol, declaration: ts.Node, checker: ts.TypeChecker): Documented {
  const isClass = ts.isClassDeclaration(declaration);
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  if (isClass) return { name, isClass, text, arguments: [], uses: [] };
  const uses = new Set<string>();
  const members = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).map((member): Argument => {
    const node = member.valueDeclaration;
    const type = node && ts.isPropertySignature(node) && node.type ? written(node.type, uses) : "";
    const tag = (wanted: string) =>
      ts.displayPartsToString(member.getJsDocTags(checker).find((one) => one.name === wanted)?.text).trim();
    return {
      name: member.name,
      type,
      required: (member.flags & ts.SymbolFlags.Optional) === 0,
      default: tag("default"),
      example: tag("example"),
      text: ts.displayPartsToString(member.getDocumentationComment(checker)),
    };
  });
  return { name, isClass, text, arguments: members, uses: [...uses] };
}

/** A type as a program writes it; the names that it has are added to `uses`. */
function written(node: ts.TypeNode, uses: Set<string>): string {
  if (ts.isArrayTypeNode(node)) return `${written(node.elementType, uses)}[]`;
  if (ts.isTypeReferenceNode(node)) {
    const name = node.typeName.getText();
    const inner = (node.typeArguments ?? []).map((argument) => written(argument, uses));
    if (name === "pulumi.Input" || name === "pulumi.Output") return inner[0] ?? "";
    uses.add(name);
    return inner.length > 0 ? `${name}<${inner.join(", ")}>` : (name.split(".").at(-1) ?? name);
  }
  if (ts.isUnionTypeNode(node)) return node.types.map((one) => written(one, uses)).join(" or ");
  return node.getText();
}
