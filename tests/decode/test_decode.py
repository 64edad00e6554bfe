from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from aidivide_archive.decode import composed, decode, decompress
from aidivide_archive.model import Completeness

LIMIT = 1_000_000
PLAIN = (
    "<html><body><p>" + "The forum opened in the east hall. " * 400 + "</p></body></html>"
).encode()


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("name", ENCODERS)
def test_decompress_gives_the_body_when_the_stream_is_whole(name: str) -> None:
    result = decompress(ENCODERS[name](PLAIN), name, max_bytes=LIMIT)
    assert (result.body, result.completeness, result.too_large) == (
        PLAIN,
        Completeness.COMPLETE,
        False,
    )


@pytest.mark.parametrize("name", ENCODERS)
def test_decompress_says_truncated_when_the_stream_ends_early(name: str) -> None:
    body = ENCODERS[name](PLAIN)
    result = decompress(body[: len(body) * 2 // 3], name, max_bytes=LIMIT)
    assert result.completeness is not Completeness.COMPLETE
    assert PLAIN.startswith(result.body)


@pytest.mark.fault("F17")
@pytest.mark.parametrize("name", ENCODERS)
def test_decompress_stops_at_the_limit_when_the_body_is_a_bomb(name: str) -> None:
    bomb = ENCODERS[name](b"\0" * 60_000_000)
    result = decompress(bomb, name, max_bytes=LIMIT)
    assert result.too_large
    assert len(result.body) == LIMIT


def test_decompress_undoes_three_encodings_and_refuses_four() -> None:
    body = ENCODERS["zstd"](ENCODERS["br"](ENCODERS["gzip"](PLAIN)))
    assert decompress(body, "gzip, br, zstd", max_bytes=LIMIT).body == PLAIN
    refused = decompress(gzip.compress(body), "gzip, br, zstd, gzip", max_bytes=LIMIT)
    assert refused.too_large
    assert refused.body == b""


def test_decompress_reads_raw_deflate_and_gzip_with_several_members() -> None:
    assert decompress(raw_deflate(PLAIN), "deflate", max_bytes=LIMIT).body == PLAIN
    members = gzip.compress(PLAIN[:100]) + gzip.compress(PLAIN[100:])
    assert decompress(members, "x-gzip", max_bytes=LIMIT).body == PLAIN


def test_decompress_notices_a_wrong_checksum() -> None:
    body = bytearray(gzip.compress(PLAIN))
    body[-6] ^= 0xFF
    result = decompress(bytes(body), "gzip", max_bytes=LIMIT)
    assert result.completeness is Completeness.PARTIAL


@pytest.mark.parametrize("name", ["gzip", "br", "zstd", "identity", None, "x-unknown"])
def test_decompress_passes_plain_markup_through_when_the_label_lies(name: str | None) -> None:
    result = decompress(PLAIN, name, max_bytes=LIMIT)
    assert (result.body, result.completeness) == (PLAIN, Completeness.COMPLETE)


@given(st.binary(max_size=300), st.sampled_from([*ENCODERS, "gzip, br", "nonsense", ""]))
@settings(max_examples=200, deadline=None)
def test_decompress_never_raises_and_never_exceeds_the_limit(body: bytes, name: str) -> None:
    assert len(decompress(body, name, max_bytes=100).body) <= 100


SENTENCES = {
    "windows-1251": "В Шанхае открылся форум о цифровом разрыве. Делегаты обсудили обучение и сети.",
    "koi8-r": "В Шанхае открылся форум о цифровом разрыве. Делегаты обсудили обучение и сети.",
    "gb18030": "论坛在上海举行，来自二十多个国家的代表讨论了人工智能培训和基础设施。",
    "big5": "論壇在上海舉行，來自二十多個國家的代表討論了人工智慧培訓和基礎設施。",
    "shift_jis": "上海でフォーラムが開かれ、各国の代表が人工知能の訓練について話し合った。",
    "euc-jp": "上海でフォーラムが開かれ、各国の代表が人工知能の訓練について話し合った。",
    "euc-kr": "상하이에서 포럼이 열려 이십여 개국 대표들이 인공지능 교육과 기반 시설을 논의했다.",
    "windows-1256": "افتتح المنتدى في شنغهاي وناقش المندوبون التدريب والبنية التحتية للذكاء.",
    "windows-1252": "Le forum s’est ouvert à Shanghai ; des délégués ont débattu de l’équipement.",
}
FAULTS = ("right http", "right meta", "no label", "wrong http", "wrong meta")


@pytest.mark.fault("F21")
@pytest.mark.parametrize("encoding", SENTENCES)
@pytest.mark.parametrize("fault", FAULTS)
def test_decode_finds_the_charset_whatever_the_label_says(encoding: str, fault: str) -> None:
    wrong = "iso-8859-1" if encoding != "windows-1252" else "utf-8"
    content_type = {
        "right http": f"text/html; charset={encoding}",
        "wrong http": "text/html; charset=utf-8",
    }.get(fault, "text/html")
    meta = {"right meta": encoding, "wrong meta": wrong}.get(fault)
    head = f'<meta charset="{meta}">' if meta else ""
    page = f"<html><head>{head}<title>-</title></head><body><p>{SENTENCES[encoding]}</p></body>"
    body = page.encode({"windows-1252": "cp1252"}.get(encoding, encoding))
    decoded = decode(body, content_type=content_type, url="https://news.example/a")
    assert SENTENCES[encoding] in decoded.text


def test_decode_prefers_the_byte_order_mark_to_every_label() -> None:
    body = "\ufeffcafé — 上海".encode("utf-16-le")
    decoded = decode(body, content_type="text/html; charset=gbk", url=None)
    assert (decoded.text, decoded.source) == ("café — 上海", "bom")


def test_decode_reads_gb2312_as_its_superset() -> None:
    page = '<meta charset="gb2312"><p>记者镕基在会上说，培训很重要。</p>'
    decoded = decode(page.encode("gb18030"), content_type=None, url=None)
    assert (decoded.encoding, decoded.source) == ("gb18030", "meta")
    assert "镕基" in decoded.text


def test_decode_keeps_utf8_when_one_byte_of_a_long_page_is_broken() -> None:
    body = ("délégués réunis à l’été " * 20).encode() + b"\xe9 fin"
    assert decode(body, content_type=None, url=None).encoding == "utf-8"


def test_decode_says_utf8_for_plain_ascii() -> None:
    decoded = decode(b"<p>plain</p>", content_type="text/html; charset=gbk", url=None)
    assert (decoded.encoding, decoded.text) == ("utf-8", "<p>plain</p>")


@given(st.binary(max_size=400), st.sampled_from([None, "text/html; charset=gbk", "x;charset=zip"]))
@settings(max_examples=300, deadline=None)
def test_decode_gives_storable_text_for_any_bytes(body: bytes, content_type: str | None) -> None:
    decoded = decode(body, content_type=content_type, url="https://news.example/")
    assert not any(ord(character) < 32 and character not in "\t\n\r" for character in decoded.text)
    decoded.text.encode("utf-8")  # a lone surrogate would raise


def test_composed_puts_marks_on_their_letters_and_takes_nothing_apart() -> None:
    assert composed("Cafe\u0301 \u30ab\u3099 \u1112\u1161\u11ab") == "Café ガ 한"
    assert composed("\u095c") == "\u095c"  # NFC would make it two characters
    assert composed("plain") == "plain"
