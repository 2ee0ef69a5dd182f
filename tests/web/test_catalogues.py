"""The Chinese catalogue is complete, keeps its placeholders, and is compiled."""

import re

import pytest

from shopify_app.web import catalogues


def texts(message):
    return message.string if isinstance(message.string, tuple) else (message.string,)


def test_every_text_is_translated():
    stored = catalogues.stored()
    used = {
        m.id if isinstance(m.id, str) else m.id[0] for m in catalogues.messages_in_use() if m.id
    }
    kept = {m.id if isinstance(m.id, str) else m.id[0] for m in stored if m.id and all(texts(m))}

    assert used == kept


def test_translations_use_only_placeholders_of_the_original():
    for message in catalogues.stored():
        original = " ".join(message.id) if isinstance(message.id, tuple) else message.id
        for text in texts(message) if message.id else ():
            assert set(re.findall(r"%\(\w+\)s", text)) <= set(
                re.findall(r"%\(\w+\)s", original)
            ) | {"%(num)s"}, original


def test_the_compiled_file_is_the_catalogue():
    assert (catalogues.FOLDER / "messages.mo").read_bytes() == catalogues.compiled(
        catalogues.stored()
    )


@pytest.mark.parametrize("name", ["messages.po", "messages.mo"])
def test_both_files_are_there(name):
    assert (catalogues.FOLDER / name).stat().st_size > 10_000
