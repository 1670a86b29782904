import { directory, ensure, file, packages, service } from "../converge/text";
import { type Firewall, renderTable, tableName } from "./table";

const directoryPath = "/etc/hastack/firewall";
const template = "/etc/systemd/system/hastack-firewall@.service";
const readable = { mode: "0644", owner: "root:root" };
const searchable = { mode: "0755", owner: "root:root" };

/**
 * Directives for a unit that comes after all else: exactly these rules, now and at every boot. A host that leaves is
 * shut out only when it is gone from the service.
 */
export function firewall(rules: Firewall): string[] {
  const path = pathOf(rules.role);
  const live = `nft -s list table inet ${tableName(rules.role)}`;
  return [
    packages(["nftables"]),
    directory("/etc/hastack", searchable),
    directory(directoryPath, searchable),
    file(path, renderTable(rules), readable),
    file(template, renderService(), readable),
    service(`hastack-firewall@${rules.role}`, {
      enabled: true,
      started: true,
      restartOn: [template],
      reloadOn: [path],
      disturbs: { by: "quiet", how: "connections go on" },
    }),
    ensure("firewall rules are loaded", {
      check: [
        `have=$(${live} 2>/dev/null) || { echo "the table ${tableName(rules.role)} is not loaded"; exit 1; }`,
        "# what nft makes of the file is seen in a network namespace of its own",
        `want=$(unshare --net sh -c 'nft -f ${path} && ${live}')`,
        '[ "$have" = "$want" ] || { echo "other rules are loaded than those of the file"; exit 1; }',
      ].join("\n"),
      fix: `nft -f ${path}`,
    }),
  ];
}

/**
 * A directive for a unit that comes before all else: where rules are loaded already, hosts that are new to the service
 * are let in, so that they can join it.
 */
export function firewallOpening({ role, sources }: Firewall, source: string): string {
  const elements = sources.find(({ name }) => name === source)?.from.join(", ") ?? "";
  const set = `inet ${tableName(role)} ${source}`;
  return ensure("the firewall lets new hosts in", {
    check: [
      `nft list table inet ${tableName(role)} >/dev/null 2>&1 || exit 0`,
      `nft get element ${set} '{ ${elements} }' >/dev/null 2>&1 || { echo "it does not yet"; exit 1; }`,
    ].join("\n"),
    fix: `nft add element ${set} '{ ${elements} }'`,
  });
}

function pathOf(role: string): string {
  return `${directoryPath}/${role}.nft`;
}

/** One for every role. A restart of nftables.service flushes all tables: ours are loaded again with it. */
function renderService(): string {
  return [
    "[Unit]",
    "Description=Firewall of %i: who reaches its ports",
    "DefaultDependencies=no",
    "Wants=network-pre.target",
    "Before=network-pre.target shutdown.target",
    "Conflicts=shutdown.target",
    "After=nftables.service",
    "PartOf=nftables.service",
    "ReloadPropagatedFrom=nftables.service",
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    `ExecStart=/usr/sbin/nft -f ${directoryPath}/%i.nft`,
    `ExecReload=/usr/sbin/nft -f ${directoryPath}/%i.nft`,
    `ExecStop=/usr/sbin/nft delete table inet ${tableName("%i")}`,
    "",
    "[Install]",
    "WantedBy=sysinit.target",
    "",
  ].join("\n");
}
