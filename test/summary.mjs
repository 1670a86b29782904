/** A reporter for node's test runner: what failed, with the beginning of its error, then the runner's counts. */

const lines = 40;

/** @param {AsyncIterable<import("node:test/reporters").TestEvent>} events */
export default async function* summary(events) {
  for await (const { type, data } of events) {
    if (type === "test:diagnostic" && data.nesting === 0) yield `# ${data.message}\n`;
    // A suite fails because of the tests in it, which are reported themselves.
    if (type !== "test:fail" || data.details.error.failureType === "subtestsFailed") continue;
    const { cause, message } = data.details.error;
    const shown = String(cause?.stack ?? cause ?? message)
      .split("\n")
      .slice(0, lines);
    yield `✖ ${data.name} (${data.file})\n${shown.map((line) => `    ${line}\n`).join("")}`;
  }
}
