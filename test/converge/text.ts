/** Small pieces of unit text that tests share. */

/** The release that the tests run on: `debian-12` or `debian-13`. */
export const release = process.env.HASTACK_TEST_RELEASE ?? "debian-12";

export const mirror = `http://192.168.1.1:8080/${release}/`;

/** A package source; hosts of the lab come without one. */
export function packageSource(url = mirror): string {
  return file("/etc/apt/sources.list.d/lab.list", `deb [signed-by=/usr/share/keyrings/lab.asc] ${url} ./`);
}

export function file(path: string, content: string, access = "0644 root:root"): string {
  return `file ${path} ${access} <<'EOF'\n${content}\nEOF`;
}

export function ensure(name: string, check: string, fix: string, timeout = 60): string {
  return `ensure "${name}" timeout ${timeout}\n  check <<'EOF'\n${check}\nEOF\n  do <<'EOF'\n${fix}\nEOF`;
}

/** A systemd unit whose process reads its configuration once, at its start: /run/NAME.loaded says what it read. */
export function serviceFile(name: string, extra = ""): string {
  return file(
    `/etc/systemd/system/${name}.service`,
    `[Service]
ExecStart=/bin/sh -c 'cp /etc/${name}.conf /run/${name}.loaded; exec sleep infinity'
${extra}
[Install]
WantedBy=multi-user.target`,
  );
}

/** A service with one line of configuration. */
export function service(name: string, configuration: string, { extra = "", line = "enabled started" } = {}): string {
  return [
    serviceFile(name, extra),
    file(`/etc/${name}.conf`, configuration),
    `service ${name} ${line} restart-on /etc/${name}.conf`,
  ].join("\n");
}
