import fc from "fast-check";

/** Any text that a configuration file can hold, with what usually breaks quoting in the first place. */
export const anyText = fc.oneof(
  fc.constantFrom(
    "jhYg/=\\F",
    "'; DROP TABLE x; --",
    'a"b',
    "пароль",
    "@{secret:x|raw}",
    "$(id)`id`",
    "😀",
    "\\",
    "a\nb",
    " ",
  ),
  fc.string({ unit: "binary" }).map((s) => s.replaceAll("\0", "").replace(/[\ud800-\udfff]/g, "")),
);
