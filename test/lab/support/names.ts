/** Each means something to a program on the way: YAML, JSON, shells, SQL, pg_hba.conf, libpq, our own texts. */
export const names = [
  "jhYg/=\\F",
  'it\'s "quoted"',
  " с пробелами и кириллицей ",
  "'; DROP DATABASE postgres; --",
  "@{secret:ca|raw}",
  "$(id) `id` $HOME",
  "postgres://a:b@c/d?e=f&g=%20",
  "-- \\q {{x}} #y !z",
  "all",
  "replication",
  "+workspad",
  "я".repeat(31), // 62 of PostgreSQL's 63 bytes
];

/** Any two of them together; what is there already is taken through SASLprep, too. */
export const passwords = names.map((name, i) => `${name}${names[(i + 1) % names.length]}\u00ad\u00a0Ⅸ`);
