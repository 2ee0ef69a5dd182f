"""The Chinese catalogue is complete, keeps its placeholders, and is compiled."""

import shutil

import pytest
from babel.messages.pofile import read_po

from launch import words

KEPT = words.TRANSLATIONS / "zh" / "LC_MESSAGES"


@pytest.fixture
def copied(tmp_path):
    """A copy of the translations, to be changed."""
    return shutil.copytree(words.TRANSLATIONS, tmp_path / "translations")


def texts(message):
    return message.string if isinstance(message.string, tuple) else (message.string,)


def test_the_catalogue_has_every_text_of_the_code_and_none_besides():
    assert words.is_up_to_date(), "bring it up to date: python -m launch words"


def test_every_text_is_translated():
    with (KEPT / "messages.po").open("rb") as file:
        catalogue = read_po(file, locale="zh")

    assert len(catalogue) > 100
    assert [message.id for message in catalogue if message.id and not all(texts(message))] == []


def test_bringing_it_up_to_date_changes_nothing(copied):
    """So that the compiled file is the catalogue's, and pybabel finds every placeholder in order."""
    assert words.main(copied) == 0
    for name in ("messages.po", "messages.mo"):
        assert (copied / "zh/LC_MESSAGES" / name).read_bytes() == (KEPT / name).read_bytes(), name


def test_a_text_that_is_missing_or_one_too_many_is_found_and_mended(copied):
    kept = copied / "zh/LC_MESSAGES/messages.po"
    whole = kept.read_text()
    for other in (
        whole.replace('msgid "Restock"', 'msgid "Restocked"'),
        whole + '\nmsgid "No longer said"\nmsgstr "x"\n',
    ):
        kept.write_text(other)
        assert not words.is_up_to_date(copied)
        words.main(copied)
        assert words.is_up_to_date(copied)


def test_a_placeholder_that_the_original_lacks_is_refused(copied):
    kept = copied / "zh/LC_MESSAGES/messages.po"
    kept.write_text(
        kept.read_text().replace('msgstr "测试从未开始"', 'msgstr "测试从未开始 %(what)s"')
    )
    assert words.main(copied) == 0  # a text without placeholders may say a percent sign
    kept.write_text(kept.read_text().replace('msgstr[0] "%(num)s 天"', 'msgstr[0] "%(day)s 天"'))
    assert words.main(copied) == 1
