# A topology file in, one line per host out: name, address, release, mount point and size (MB) of its data disk.
# With anything wrong: every complaint at once, and exit code 5.

def default_disk: { mount: "/var/lib/postgresql", sizeMb: 768 };

def complain_unless(ok; text): if ok then empty else text end;

# Complaints about the keys of an object, for a typo is otherwise a silent default.
def unknown_keys(where; known):
  keys - known | .[] | "\(where): unknown key '\(.)'; known are: \(known | join(", "))";

def check_name(where):
  complain_unless(type == "string" and test("^[a-z][a-z0-9-]*$");
    "\(where): \(tojson) is not a host name; use small letters, digits and '-', a letter first"),
  # the host's bridge port is named vb-NAME, and Linux limits an interface's name to 15 characters
  complain_unless(type != "string" or length <= 12; "\(where): \(tojson) is longer than 12 characters");

def check_address(where):
  complain_unless(type == "string" and test("^192\\.168\\.1\\.([0-9]+)$")
      and (ltrimstr("192.168.1.") | tonumber | . >= 2 and . <= 254);
    "\(where): \(tojson) is not in the lab's network; use 192.168.1.2 to 192.168.1.254 (.1 is the controller)");

def check_release(where):
  . as $release | complain_unless($releases | index($release) != null;
    "\(where): unknown release \($release | tojson); there are: \($releases | join(", "))");

def check_disk(where):
  if type != "object" then "\(where): is \(tojson); it must be an object {mount, sizeMb}" else
    unknown_keys(where; ["mount", "sizeMb"]),
    (.mount // default_disk.mount | complain_unless(type == "string" and test("^/[a-zA-Z0-9/_.-]+$");
      "\(where).mount: \(tojson) is not an absolute path")),
    (.sizeMb // default_disk.sizeMb | complain_unless(type == "number" and . >= 16 and . <= 16384 and floor == .;
      "\(where).sizeMb: \(tojson) is not a whole number from 16 to 16384"))
  end;

def check_package(where):
  complain_unless(type == "string" and test("^[a-z0-9][a-z0-9+.-]+$"); "\(where): \(tojson) is not a package's name");

def duplicates(field): [.hosts[]? | objects | field | strings] | group_by(.) | map(select(length > 1)[0])[];

def check_host(where):
  if type != "object" then "\(where): is \(tojson); it must be an object {name, address}" else
    unknown_keys(where; ["name", "address", "release", "dataDisk", "package"]),
    (.name | check_name("\(where).name")),
    (.address | check_address("\(where).address")),
    (.release // empty | check_release("\(where).release")),
    (.dataDisk // empty | check_disk("\(where).dataDisk")),
    (.package // empty | check_package("\(where).package"))
  end;

def complaints:
  if type != "object" then "a topology is an object {description, release, hosts}" else
    unknown_keys("topology"; ["description", "release", "hosts"]),
    (.release // "debian-12" | check_release("release")),
    (if (.hosts | type) != "array" then "hosts: is \(.hosts | tojson); it must be a list of {name, address}" else
      (.hosts | length | complain_unless(. >= 1 and . <= 14; "hosts: \(.) of them; a lab has 1 to 14")),
      (.hosts | to_entries[] | .key as $i | .value | check_host("hosts[\($i)]")),
      (duplicates(.name) | "hosts: the name '\(.)' is there twice"),
      (duplicates(.address) | "hosts: the address \(.) is there twice")
    end)
  end;

[complaints] as $complaints
| if $complaints != [] then $complaints | join("\n") | halt_error
  else
    (.release // "debian-12") as $release
    | .hosts[]
    | (default_disk + (.dataDisk // {})) as $disk
    | [.name, .address, .release // $release, $disk.mount, $disk.sizeMb]
    | @tsv
  end
