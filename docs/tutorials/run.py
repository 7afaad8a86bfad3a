"""Run a tutorial: its shell and Python blocks in order, in one folder, and keep what they print on the page.

    python docs/tutorials/run.py docs/tutorials/1-melt-quench.md --folder tutorial-1

With --toy the replacements in the comments `<!-- toy: THIS => THAT -->` before a block are made first, and the page is
left as it is; that is what the tests do. Pictures that the page shows from files/ are copied there from the folder.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

BLOCK = re.compile(
    r"(?P<toys>(?:<!-- toy: .*? -->\n)*)```(?P<language>sh|python)\n(?P<code>.*?)```\n(?P<output>\n```text\n.*?```\n)?",
    re.DOTALL,
)
PICTURE = re.compile(r"!\[[^\]]*\]\(files/([^)]+)\)")


def run_page(page: Path, folder: Path, toy: bool) -> str:
    """The page with the output of its blocks, run in `folder`. Raises RuntimeError where a block fails."""
    names: dict[str, Any] = {"__name__": "tutorial"}

    def run(found: re.Match[str]) -> str:
        code = found["code"]
        for this, that in re.findall(r"<!-- toy: (.*?) => (.*?) -->", found["toys"]) if toy else []:
            if this not in code:
                raise RuntimeError(f"{page}: {this!r} is to be replaced but is not in the block:\n{code}")
            code = code.replace(this, that)
        printed = _python(code, names) if found["language"] == "python" else _shell(code)
        # Where a package lies is of no use to a reader.
        printed = printed.replace(sys.prefix, "...")
        printed = "\n".join(line.rstrip() for line in printed.splitlines()).strip("\n")
        output = f"\n```text\n{printed}\n```\n" if printed else ""
        return f"{found['toys']}```{found['language']}\n{found['code']}```\n{output}"

    text = page.read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.chdir(folder):
        return BLOCK.sub(run, text)


def _shell(code: str) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": path},
    )
    if done.returncode:
        raise RuntimeError(f"a block ended with {done.returncode}:\n{code}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _python(code: str, names: dict[str, Any]) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "tutorial", "exec"), names)
    return printed.getvalue()


def main() -> None:
    """Command line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("page", type=Path)
    arguments.add_argument("--folder", type=Path, required=True, help="where the blocks run")
    arguments.add_argument("--toy", action="store_true", help="small sizes; the page is not changed")
    given = arguments.parse_args()
    page = given.page.resolve()
    os.environ["NVNMD_ROOT"] = str(page.parents[2])
    text = run_page(page, given.folder, given.toy)
    for name in PICTURE.findall(text):
        if not (given.folder / name).exists():
            raise RuntimeError(f"{page}: shows {name}, which no block has written")
        if not given.toy:
            shutil.copyfile(given.folder / name, page.parent / "files" / name)
    if not given.toy:
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
