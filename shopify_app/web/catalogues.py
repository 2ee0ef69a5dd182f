"""Translation catalogues: what the code says, what a .po translates, what a .mo was made from.

`python -m shopify_app.web.catalogues` brings zh's .po up to date and compiles it. Both files are
kept in the repository, so nobody needs a build step; a test compares them with the code.
"""

import io
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "shopify_app" / "translations" / "zh" / "LC_MESSAGES"
METHODS: Final = [("**.py", "python"), ("**.html", "jinja2")]
KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "later": None}


def messages_in_use() -> Catalog:
    """Every text that the code and the templates hand to gettext."""
    catalogue = Catalog(locale="zh", charset="utf-8")
    for folder in (ROOT / "shopify_app" / "web", ROOT / "templates"):
        for _file, _line, message, _comments, _context in extract_from_dir(
            folder, METHODS, keywords=KEYWORDS
        ):
            catalogue.add(message)
    return catalogue


def stored() -> Catalog:
    """The translations as they are kept."""
    path = FOLDER / "messages.po"
    if not path.exists():
        return Catalog(locale="zh", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale="zh")


def compiled(catalogue: Catalog) -> bytes:
    """A catalogue in the form that gettext reads."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def bring_up_to_date() -> None:
    """Add new texts to the .po, drop those no longer used, compile."""
    catalogue = stored()
    catalogue.update(messages_in_use(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.project, catalogue.fuzzy, catalogue.header_comment = (
        "Keel",
        False,
        "# Simplified Chinese.",
    )
    with (FOLDER / "messages.po").open("wb") as file:
        write_po(file, catalogue, sort_output=True, no_location=True, omit_header=False, width=120)
    (FOLDER / "messages.mo").write_bytes(compiled(catalogue))


if __name__ == "__main__":
    bring_up_to_date()
