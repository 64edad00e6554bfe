import gzip
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from aidivide_archive.exceptions import ImportDataError, StoreError
from aidivide_archive.model import Capture, Completeness
from aidivide_archive.warc.records import WarcWriter, iter_captures, read_capture

NOW = datetime(2025, 7, 28, 12, 30, 1, 250000, UTC)
header_text = st.text(st.characters(codec="latin-1", exclude_categories=()), max_size=40)
header_name = st.text(st.sampled_from("abcXYZ-09"), min_size=1, max_size=12)


def capture(number: int = 0, **changes: object) -> Capture:
    values: dict[str, object] = {
        "url": f"https://news.example/{number}?q=1",
        "captured_at": NOW,
        "status": 200,
        "headers": (
            ("Content-Type", "text/html; charset=gbk"),
            ("Set-Cookie", "a"),
            ("Set-Cookie", "b"),
        ),
        "request_headers": (("Host", "news.example"), ("User-Agent", "tests")),
        "body": b"\x1f\x8b as fetched \x00\xff" * (number + 1),
        "ip_address": "127.0.0.1",
    }
    return Capture(**(values | changes))  # type: ignore[arg-type]


def written(folder: Path, *captures: Capture) -> tuple[Path, list[int]]:
    writer = WarcWriter(folder, "one.warc.gz", software="tests/1")
    offsets = [writer.write(one).offset for one in captures]
    writer.close()
    return folder / "one.warc.gz", offsets


def responses(path: Path) -> list[tuple[str, bytes]]:
    """What warcio, another implementation, reads."""
    with path.open("rb") as file:
        return [
            (record.rec_headers.get_header("WARC-Target-URI"), record.raw_stream.read())
            for record in ArchiveIterator(file)
            if record.rec_type == "response"
        ]


# --- round trip ----------------------------------------------------------------------------------


def test_captures_come_back_as_they_were(tmp_path: Path):
    captures = [capture(n) for n in range(5)]
    path, offsets = written(tmp_path, *captures)
    for one, offset in zip(captures, offsets, strict=True):
        read = read_capture(path, offset)
        assert (read.url, read.captured_at, read.status) == (one.url, NOW, 200)
        assert (read.body, read.ip_address) == (one.body, "127.0.0.1")
        assert read.completeness is Completeness.COMPLETE
        assert read.headers[:3] == one.headers
        assert read.header("set-cookie") == "a"
    assert [(one.capture.url, one.offset) for one in iter_captures(path)] == [
        (one.url, offset) for one, offset in zip(captures, offsets, strict=True)
    ]


def test_each_position_is_one_gzip_member_with_that_response(tmp_path: Path):
    writer = WarcWriter(tmp_path, "one.warc.gz", software="tests/1")
    positions = [writer.write(capture(n)) for n in range(3)]
    writer.close()
    content = (tmp_path / "one.warc.gz").read_bytes()
    for number, position in enumerate(positions):
        assert position.file == "one.warc.gz"
        member = gzip.decompress(content[position.offset : position.offset + position.length])
        assert member.startswith(b"WARC/1.1\r\n")
        assert b"WARC-Type: response" in member
        assert f"/{number}?q=1".encode() in member


def test_another_implementation_verifies_every_digest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path, _ = written(tmp_path, *(capture(n) for n in range(3)))
    arguments = type("Arguments", (), {"inputs": [str(path)], "verbose": True})()
    assert Checker(arguments).process_all() == 0
    said = capsys.readouterr().out
    assert said.count("digest pass") >= 3
    assert "digest failed" not in said
    assert responses(path) == [(capture(n).url, capture(n).body) for n in range(3)]


def test_request_and_response_belong_together(tmp_path: Path):
    path, _ = written(tmp_path, capture())
    with path.open("rb") as file:
        records = [
            (one.rec_type, one.rec_headers, one.http_headers, one.raw_stream.read())
            for one in ArchiveIterator(file)
        ]
    kinds = [kind for kind, *_ in records]
    assert kinds == ["warcinfo", "response", "request"]
    assert b"tests/1" in records[0][3]
    response, request = records[1][1], records[2]
    assert request[1].get_header("WARC-Concurrent-To") == response.get_header("WARC-Record-ID")
    assert request[2].get_header("User-Agent") == "tests"
    assert request[2].protocol == "GET"
    assert response.get_header("WARC-Date") == "2025-07-28T12:30:01.250000Z"


def test_an_empty_body_and_an_unknown_status_are_kept(tmp_path: Path):
    path, (empty, odd) = written(tmp_path, capture(body=b""), capture(status=799, ip_address=None))
    assert read_capture(path, empty).body == b""
    assert (read_capture(path, odd).status, read_capture(path, odd).ip_address) == (799, None)


def test_an_incomplete_body_says_so(tmp_path: Path):
    path, (offset,) = written(tmp_path, capture(completeness=Completeness.PARTIAL))
    assert read_capture(path, offset).completeness is Completeness.PARTIAL


def test_two_threads_write_whole_records(tmp_path: Path):
    writer = WarcWriter(tmp_path, "one.warc.gz", software="tests/1")
    found: dict[int, int] = {}

    def write(start: int) -> None:
        for number in range(start, start + 40):
            found[writer.write(capture(number)).offset] = number

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    read = {one.offset: one.capture.url for one in iter_captures(tmp_path / "one.warc.gz")}
    assert read == {offset: capture(number).url for offset, number in found.items()}


def test_an_existing_file_is_never_written_over(tmp_path: Path):
    path, _ = written(tmp_path, capture())
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        WarcWriter(tmp_path, "one.warc.gz", software="tests/1")
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600


# --- hostile content -----------------------------------------------------------------------------


def test_a_header_cannot_begin_another_record(tmp_path: Path):
    evil = "x\r\n\r\nWARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: https://evil.example/"
    path, _ = written(
        tmp_path,
        capture(
            1, headers=(("X-Evil", evil), ("X-More", "a\nb\rc")), request_headers=(("X", evil),)
        ),
        capture(2),
    )
    assert [one.capture.url for one in iter_captures(path)] == [capture(1).url, capture(2).url]
    assert responses(path) == [(capture(n).url, capture(n).body) for n in (1, 2)]


@pytest.mark.parametrize("name", ["", " ", "\n", "\r\n\r\n"])
def test_a_header_without_a_name_is_left_out(name: str, tmp_path: Path):
    odd = capture(headers=((name, "value"), ("ETag", "1")), request_headers=((name, "value"),))
    path, (offset,) = written(tmp_path, odd)
    assert responses(path) == [(odd.url, odd.body)]
    read = read_capture(path, offset)
    assert (read.headers[0], read.body) == (("ETag", "1"), odd.body)


@given(
    st.lists(st.tuples(header_name, header_text), max_size=6),
    st.lists(st.tuples(header_text, header_text), max_size=3),
    st.binary(max_size=300),
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
def test_any_headers_and_body_leave_a_readable_file(
    tmp_path: Path,
    headers: list[tuple[str, str]],
    request_headers: list[tuple[str, str]],
    body: bytes,
):
    (tmp_path / "one.warc.gz").unlink(missing_ok=True)
    odd = capture(
        1,
        headers=(*headers, *request_headers),
        request_headers=tuple(request_headers),
        body=body,
    )
    path, offsets = written(tmp_path, odd, capture(2))
    assert [read_capture(path, offset).body for offset in offsets] == [body, capture(2).body]
    assert responses(path) == [(odd.url, body), (capture(2).url, capture(2).body)]


def test_a_transfer_that_was_undone_is_not_described(tmp_path: Path):
    headers = (("Transfer-Encoding", "chunked"), ("Content-Length", "7"), ("ETag", '"1"'))
    path, (offset,) = written(tmp_path, capture(headers=headers))
    read = read_capture(path, offset)
    assert read.header("transfer-encoding") is None
    assert read.header("etag") == '"1"'
    assert read.header("content-length") == str(len(read.body))


# --- damaged files -------------------------------------------------------------------------------


def test_a_torn_tail_costs_only_the_last_record(tmp_path: Path):
    captures = [capture(n) for n in range(3)]
    path, offsets = written(tmp_path, *captures)
    content = path.read_bytes()
    for cut in range(offsets[2] - 5, len(content) - 1, 7):
        path.write_bytes(content[:cut])
        whole = [
            one.capture
            for one in iter_captures(path)
            if one.capture.completeness is Completeness.COMPLETE
        ]
        assert [one.url for one in whole[:2]] == [one.url for one in captures[:2]]
        assert all(one.body == captures[n].body for n, one in enumerate(whole))


def test_a_torn_record_is_not_taken_for_whole(tmp_path: Path):
    path, (offset,) = written(tmp_path, capture(body=bytes(range(256)) * 100))
    content = path.read_bytes()
    path.write_bytes(content[: offset + 400])
    with pytest.raises(StoreError, match=r"one\.warc\.gz at"):
        read_capture(path, offset)


def test_a_changed_byte_is_noticed(tmp_path: Path):
    path, (offset,) = written(tmp_path, capture(body=b"the words as they were"))
    member = gzip.decompress(path.read_bytes()[offset:])
    forged = gzip.compress(member.replace(b"as they were", b"as they are!"))
    path.write_bytes(path.read_bytes()[:offset] + forged)
    with pytest.raises(StoreError, match="digest"):
        read_capture(path, offset)


@pytest.mark.parametrize("offset", [3, 10**9])
def test_a_wrong_offset_is_one_clear_line(tmp_path: Path, offset: int):
    path, _ = written(tmp_path, capture())
    with pytest.raises(StoreError) as caught:
        read_capture(path, offset)
    assert f"one.warc.gz at {offset}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_clear_line(tmp_path: Path):
    with pytest.raises(StoreError, match=r"none\.warc\.gz at 0"):
        read_capture(tmp_path / "none.warc.gz", 0)
    with pytest.raises(ImportDataError, match="cannot be read"):
        list(iter_captures(tmp_path / "none.warc.gz"))


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x00" * 100, b"\x1f\x8b broken"])
def test_what_is_no_warc_file_gives_no_captures(tmp_path: Path, content: bytes):
    path = tmp_path / "odd.warc.gz"
    path.write_bytes(content)
    found: list[object] = []
    with suppress(ImportDataError):
        found.extend(iter_captures(path))
    assert found == []


def test_a_warc_file_without_compression_is_read(tmp_path: Path):
    path, _ = written(tmp_path, capture(1), capture(2))
    plain = tmp_path / "plain.warc"
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    assert [one.capture.body for one in iter_captures(plain)] == [capture(n).body for n in (1, 2)]


def test_a_file_of_one_gzip_stream_is_read(tmp_path: Path):
    path, _ = written(tmp_path, capture(1), capture(2))
    whole = tmp_path / "whole.warc.gz"
    whole.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())))
    assert [one.capture.url for one in iter_captures(whole)] == [capture(n).url for n in (1, 2)]
