#!/usr/bin/python3 -B
"""Puts the connection string of /etc/hastack/workspad/connection-string where WorksPad's services read it.

  database.py check    exit 1 and say what differs
  database.py write    nothing else of the files is changed, comments and layout included

It belongs into the gateway's appsettings.json, and into that of every other service that has one there.
"""
import glob
import json
import os
import re
import sys

WANTED = "/etc/hastack/workspad/connection-string"
ROOT = "/opt/workspad"
GATEWAY = f"{ROOT}/GatewayService/appsettings.json"
SETTING = ("ConnectionStrings", "WorksPadDatabase")

# JSON as ASP.NET Core's configuration reads it: with comments, and with a comma after the last member.
TOKEN = re.compile(
    r'(?P<blank>\s+|//[^\n]*|/\*.*?\*/)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[{}\[\],:])|(?P<word>[^\s{}\[\],:"/]+)', re.S
)
# .NET documentation, Connection String Syntax.
PAIR = re.compile(r"\s*([^=;]+?)\s*=\s*('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[^;]*)\s*(?:;|\Z)", re.S)


class Failed(Exception):
    """What cannot be done, for the operator."""


class Document:
    """The text of a file, and where in it the values are."""

    def __init__(self, path):
        self.path = path
        try:
            # A mark at the beginning and the ends of lines stay as they are.
            with open(path, encoding="utf-8", newline="") as file:
                self.text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise Failed(f"{path} cannot be read: {error}") from error
        self.tokens = self.split()
        self.root = self.value()
        if self.tokens:
            self.wrong(self.tokens[0])

    def split(self):
        tokens = []
        position = 1 if self.text.startswith("\ufeff") else 0
        while position < len(self.text):
            token = TOKEN.match(self.text, position)
            if not token:
                self.wrong(None, position)
            if token.lastgroup != "blank":
                tokens.append(token)
            position = token.end()
        return tokens

    def wrong(self, token, position=None):
        at = token.start() if token else len(self.text) if position is None else position
        raise Failed(f"{self.path} is not JSON: line {self.text.count(chr(10), 0, at) + 1}")

    def take(self, *wanted):
        """The next token, which has to be one of these marks if any are given."""
        if not self.tokens:
            self.wrong(None)
        token = self.tokens.pop(0)
        if wanted and token.group() not in wanted:
            self.wrong(token)
        return token

    def next_is(self, mark):
        return bool(self.tokens) and self.tokens[0].group() == mark

    def value(self):
        """(start, end, members): members is None unless it is an object."""
        token = self.take()
        if token.group() not in ("{", "["):
            if token.lastgroup == "mark":
                self.wrong(token)
            return token.start(), token.end(), None
        closing = "}" if token.group() == "{" else "]"
        members = [] if closing == "}" else None
        while not self.next_is(closing):
            if members is None:
                self.value()
            else:
                name = self.take()
                if name.lastgroup != "text":
                    self.wrong(name)
                self.take(":")
                members.append((json.loads(name.group()), self.value()))
            if not self.next_is(closing):
                self.take(",")
        return token.start(), self.take(closing).end(), members

    def find(self):
        """The way to the setting as far as it is there: the last value, and the names that are missing below it."""
        value = self.root
        for depth, name in enumerate(SETTING):
            if value[2] is None:
                raise Failed(f"{self.path}: {':'.join(SETTING[:depth]) or 'the whole'} is no object")
            # Names are the same whatever their case.
            found = [member for key, member in value[2] if key.lower() == name.lower()]
            if len(found) > 1:
                raise Failed(f"{self.path}: {':'.join(SETTING[:depth + 1])} is there twice")
            if not found:
                return value, SETTING[depth:]
            value = found[0]
        return value, ()

    def setting(self):
        """The connection string that is there; None if there is none."""
        (start, end, _), missing = self.find()
        if missing:
            return None
        value = self.text[start:end]
        return json.loads(value) if value.startswith('"') else None

    def with_setting(self, wanted):
        (start, end, members), missing = self.find()
        encoded = json.dumps(wanted, ensure_ascii=False)
        if not missing:
            return self.text[:start] + encoded + self.text[end:]
        for name in reversed(missing[1:]):
            encoded = f"{{ {json.dumps(name)}: {encoded} }}"
        member = f"\n  {json.dumps(missing[0])}: {encoded}" + ("," if members else "\n")
        return self.text[: start + 1] + member + self.text[start + 1 :]


def replace(path, text):
    """At once or not at all, with the owner and the mode that it has."""
    path = os.path.realpath(path)
    status = os.stat(path)
    new = f"{path}.hastack-new"
    if os.path.lexists(new):
        os.unlink(new)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="") as file:
        os.fchown(file.fileno(), status.st_uid, status.st_gid)
        os.fchmod(file.fileno(), status.st_mode & 0o7777)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, path)


def parts(connection_string):
    found = {}
    for name, value in PAIR.findall(connection_string):
        if value[:1] in ("'", '"'):
            value = value[1:-1].replace(value[0] * 2, value[0])
        found[name.lower()] = (name, value)
    return found


def difference(have, want):
    """In words, without the password."""
    if have is None:
        return "the connection string is missing"
    have, want = parts(have), parts(want)
    said = []
    for key in [*want, *(key for key in have if key not in want)]:
        name, wanted = want.get(key, (have.get(key, ("",))[0], None))
        found = have.get(key, (name, None))[1]
        if found == wanted:
            continue
        if key == "password":
            said.append("another Password")
        elif found is None:
            said.append(f"{name} is missing")
        elif wanted is None:
            said.append(f"{name} is {found} and should not be there")
        else:
            said.append(f"{name} is {found} instead of {wanted}")
    return ", ".join(said) or "the connection string is written otherwise"


def documents():
    """The gateway's, and those that have the setting."""
    yield Document(GATEWAY)
    for path in sorted(glob.glob(f"{ROOT}/*/appsettings.json")):
        if path != GATEWAY:
            document = Document(path)
            if document.setting() is not None:
                yield document


def main(command):
    with open(WANTED, encoding="utf-8") as file:
        wanted = file.read().rstrip("\n")
    differing = [document for document in documents() if document.setting() != wanted]
    if command == "check":
        for document in differing:
            print(f"{document.path}: {difference(document.setting(), wanted)}")
        return 1 if differing else 0
    for document in differing:
        replace(document.path, document.with_setting(wanted))
    return 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["check"], ["write"]):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        sys.exit(main(sys.argv[1]))
    except (Failed, OSError) as error:
        print(error)
        sys.exit(1)
