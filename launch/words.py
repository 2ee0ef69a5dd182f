"""`python -m launch words`: bring the translations up to date with the code, by pybabel.

New texts come into zh's .po, those no longer used leave it, and the .mo is compiled. Both files are
kept in the repository, so nobody needs a build step; a test compares them with the code.
"""

import tempfile
from pathlib import Path
from typing import Final

from babel.messages.frontend import BaseError, CommandLineInterface

ROOT: Final = Path(__file__).resolve().parents[1]
TRANSLATIONS: Final = ROOT / "shopify_app" / "translations"
SOURCES: Final = (ROOT / "shopify_app" / "web", ROOT / "templates")


def main(translations: Path = TRANSLATIONS) -> int:
    """Extract, update, compile; 1 if a translation cannot be compiled."""
    with tempfile.TemporaryDirectory() as folder:
        template = extract(Path(folder))
        pybabel("update", *_kept_as(template, translations))
    return pybabel("compile", f"--directory={translations}")


def is_up_to_date(translations: Path = TRANSLATIONS) -> bool:
    """Whether the .po has every text of the code and none besides."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            pybabel("update", "--check", *_kept_as(extract(Path(folder)), translations))
        except BaseError:
            return False
    return True


def extract(folder: Path) -> Path:
    """A template of every text that the code and the templates hand to gettext."""
    template = folder / "messages.pot"
    pybabel(
        "extract",
        f"--mapping-file={ROOT / 'babel.cfg'}",
        "--keywords=later",
        "--no-location",
        "--sort-output",
        f"--output-file={template}",
        *map(str, SOURCES),
    )
    return template


def pybabel(*words: str) -> int:
    """Run a command of pybabel in this process."""
    return int(CommandLineInterface().run(["pybabel", "--quiet", *words]) or 0)


def _kept_as(template: Path, translations: Path) -> tuple[str, ...]:
    return (
        "--no-fuzzy-matching",
        "--ignore-obsolete",
        "--width=120",
        "--ignore-pot-creation-date",
        "--locale=zh",
        f"--input-file={template}",
        f"--output-dir={translations}",
    )


if __name__ == "__main__":
    raise SystemExit(main())
