import { styleText } from "node:util";
import type { Check, Diagnosis } from "./check";

/** What was found, for a terminal: what is in order in a line, and for all else what it is and how it is cured. */
export function report({ machine, hosts }: Diagnosis, colors: boolean): string {
  const paint = (color: "green" | "yellow" | "red" | "bold", text: string) =>
    colors ? styleText(color, text, { validateStream: false }) : text;
  const signs = { ok: paint("green", "ok  "), warn: paint("yellow", "warn"), fail: paint("red", "FAIL") };
  const branch = (checks: readonly Check[], details: boolean): string[] => {
    const good = checks.filter(({ verdict }) => verdict === "ok");
    const rest = checks.filter(({ verdict }) => verdict !== "ok");
    const lines = [
      ...(details
        ? good.map(({ about, says }) => [`${signs.ok} ${about}: ${says}`])
        : good.length > 0
          ? [[`${signs.ok} ${good.map(({ about }) => about).join(", ")}`]]
          : []),
      ...rest.map(({ verdict, about, says, cure }) => [
        `${signs[verdict]} ${about}: ${says.replaceAll("\n", " ")}`,
        ...(cure === undefined ? [] : [`     cure: ${cure}`]),
      ]),
    ];
    return lines.flatMap(([first = "", ...more], i) => {
      const last = i === lines.length - 1;
      return [`${last ? "└─" : "├─"} ${first}`, ...more.map((line) => `${last ? "  " : "│ "} ${line}`)];
    });
  };
  const all = [...machine, ...Object.values(hosts).flat()];
  const count = (wanted: Check["verdict"]) => all.filter(({ verdict }) => verdict === wanted).length;
  return [
    paint("bold", "this machine"),
    ...branch(machine, true),
    ...Object.entries(hosts).flatMap(([host, checks]) => [paint("bold", host), ...branch(checks, false)]),
    `${count("ok")} in order, ${count("warn")} to be looked at, ${count("fail")} to be cured`,
    "",
  ].join("\n");
}
