#!/usr/bin/python3 -B
"""terminal.py COMMAND…: runs a command on a terminal of its own, and answers what is asked there.

The answers are in /etc/hastack/workspad/answers, one a line: a regular expression for the question (case does not
matter), a tab, the answer. A question is a line without an end, after which nothing more comes for a moment. One that
no line answers, or that is asked again and again, ends the command. The exit code is the command's.
"""
import os
import pty
import re
import select
import signal
import sys
import termios

ANSWERS = "/etc/hastack/workspad/answers"
MOMENT = 0.5
PATIENCE = 60
MOST_ANSWERS = 3


class Unanswered(Exception):
    """What the command asks and nobody can answer."""


def read_answers():
    with open(ANSWERS, encoding="utf-8") as file:
        pairs = [line.rstrip("\n").split("\t", 1) for line in file]
    return [(re.compile(pattern, re.I), answer) for pattern, answer in pairs]


def start(command):
    process, terminal = pty.fork()
    if process:
        return process, terminal
    # What is typed is not to be seen, whether the command takes care of that or not.
    attributes = termios.tcgetattr(0)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(0, termios.TCSANOW, attributes)
    os.environ["TERM"] = "dumb"
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"cannot run {command[0]}: {error}")
        os._exit(127)


def chunks(terminal):
    """What the command prints, and None for every moment in which it prints nothing."""
    while True:
        ready, _, _ = select.select([terminal], [], [], MOMENT)
        if not ready:
            yield None
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # EIO: nobody has the terminal open any more
            return
        if not data:
            return
        yield data.replace(b"\r\n", b"\n")


def attend(terminal, answers):
    line = b""
    quiet = 0
    given = {}
    for data in chunks(terminal):
        if data is not None:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            line = (line + data).rsplit(b"\n", 1)[-1]
            quiet = 0
            continue
        quiet += MOMENT
        question = line.decode(errors="replace").rsplit("\r", 1)[-1].strip()
        if not question:
            continue
        answer = next((text for pattern, text in answers if pattern.search(question)), None)
        if answer is None:
            if quiet >= PATIENCE:
                raise Unanswered(f"it asks something that has no answer: {question}")
            continue
        given[question] = given.get(question, 0) + 1
        if given[question] > MOST_ANSWERS:
            raise Unanswered(f"it does not accept the answer, and asks again and again: {question}")
        os.write(terminal, answer.encode() + b"\n")
        print(flush=True)
        line = b""
        quiet = 0


def main():
    answers = read_answers()
    process, terminal = start(sys.argv[1:])
    try:
        attend(terminal, answers)
    except Unanswered as unanswered:
        # In the words of apt, whose errors are looked for in what is printed here.
        print(f"\nE: {unanswered}", flush=True)
        os.killpg(process, signal.SIGTERM)
        os.close(terminal)
        os.waitpid(process, 0)
        return 1
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main() & 255)
