"""Checks the Prometheus rules beside this file: `python3 deploy/check.py`. It needs promtool (Debian: `prometheus`).

The rules are valid, their tests pass, and the tests hold the rules: each bound is loosened in turn, each number and
each time, and then a test has to fail. A bound that nothing holds would be a bound that nobody has tried.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
RULES, TESTS = "prometheus-rules.yaml", "prometheus-rules.test.yaml"
BOUND = re.compile(r"(?<= > )(?P<number>\d+)|(?<=for: )(?P<minutes>\d+)m| == (?P<equal>[01])(?!\))")


def promtool(*arguments, cwd):
    run = subprocess.run(["promtool", *arguments], cwd=cwd, capture_output=True, text=True)
    return run.returncode == 0, run.stdout + run.stderr


def loosened(found):
    """The bound that `found` is, so wide that what is close to it does not fire any more."""
    if found["number"] is not None:
        return str(int(found["number"]) * 2 + 5)
    if found["minutes"] is not None:
        return f"{int(found['minutes']) * 2}m"
    return " == 7"


def main():
    if shutil.which("promtool") is None:
        sys.exit("promtool is missing: it comes with Debian's package `prometheus`")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        text = (HERE / RULES).read_text()
        shutil.copy(HERE / TESTS, folder)
        (folder / RULES).write_text(text)
        for command in (["check", "rules", RULES], ["test", "rules", TESTS]):
            passed, said = promtool(*command, cwd=folder)
            if not passed:
                sys.exit(f"promtool {' '.join(command)}:\n{said}")
        bounds = list(BOUND.finditer(text))
        for found in bounds:
            changed = text[: found.start()] + loosened(found) + text[found.end() :]
            (folder / RULES).write_text(changed)
            line = text.count("\n", 0, found.start()) + 1
            passed, _ = promtool("check", "rules", RULES, cwd=folder)
            if not passed:
                sys.exit(f"{RULES}:{line}: loosened, it is no rule any more: this script is wrong")
            passed, _ = promtool("test", "rules", TESTS, cwd=folder)
            if passed:
                sys.exit(f"{RULES}:{line}: `{found[0].strip()}` can be loosened, and no test fails")
        alerts = text.count("- alert:")
        print(f"{alerts} alerts are tested, and each of {len(bounds)} bounds is held by a test")


main()
