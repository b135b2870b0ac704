"""What the pages of a Parquet file say of themselves, which its end need not tell.

Each page has a header, a structure of Thrift's compact protocol, with the bytes that it
unpacks to; pyarrow refuses a page that unpacks to more. It takes the sums at the end of
the file for granted, as far as it asks for them at all.
"""

from typing import BinaryIO

__all__ = ["unpacked_bytes"]

MOST_PAGES = 1_000_000
"""Pages of a column in a group of rows that are looked at."""

HEADERS = 2**12, 2**24
"""Bytes that a header has at most: nearly every one, and any."""

UNPACKED, PACKED = 2, 3  # fields of a header

TRUTHS, BYTE, WHOLE, REAL, TEXT, LISTS, MAP, STRUCTURE = (
    (1, 2), 3, (4, 5, 6), 7, 8, (9, 10), 11, 12,
)  # fmt: skip


def unpacked_bytes(file: BinaryIO, begin: int, packed_bytes: int) -> int:
    """Return the bytes that a column of a group of rows unpacks to.

    Its pages lie in a file one behind the other, from where they `begin`.

    Raises
    ------
    ValueError
        If a header cannot be read, or there are more than `MOST_PAGES`.
    OSError
        If the file cannot be read.
    """
    at, end, total = begin, begin + packed_bytes, 0
    for _ in range(MOST_PAGES):
        if at >= end:
            return total
        header, length = _header(file, at, end)
        unpacked, packed = header.get(UNPACKED, -1), header.get(PACKED, -1)
        if unpacked < 0 or packed < 0:
            raise ValueError("a page has no size")
        total += unpacked
        at += length + packed
    raise ValueError(f"a column has more than {MOST_PAGES:,} pages")


def _header(file: BinaryIO, at: int, end: int) -> tuple[dict[int, int], int]:
    """Return the numbers in a header, by field, and how long it is."""
    for most in HEADERS:
        file.seek(at)
        try:
            return _structure(file.read(min(most, end - at)), 0)
        except IndexError:
            continue
        except RecursionError:
            break
    raise ValueError("the header of a page cannot be read")


def _structure(data: bytes, at: int) -> tuple[dict[int, int], int]:
    """Return the whole numbers in a structure, by field, and where it ends."""
    found: dict[int, int] = {}
    field = 0
    while head := data[at]:
        at += 1
        if head >> 4:
            field += head >> 4
        else:
            field, at = _whole(data, at)
        if head & 15 in WHOLE:
            found[field], at = _whole(data, at)
        elif head & 15 not in TRUTHS:  # which stand in the kind itself
            at = _behind(data, at, head & 15)
    return found, at + 1


def _behind(data: bytes, at: int, kind: int) -> int:
    """Return the place behind a value of a kind."""
    if kind in TRUTHS or kind == BYTE:
        return at + 1
    if kind in WHOLE:
        return _varint(data, at)[1]
    if kind == REAL:
        return at + 8
    if kind == TEXT:
        length, at = _varint(data, at)
        return at + length
    if kind in LISTS:
        count, kinds = data[at] >> 4, [data[at] & 15]
        at += 1
        if count == 15:
            count, at = _varint(data, at)
        return _behind_all(data, at, count, kinds)
    if kind == MAP:
        count, at = _varint(data, at)
        kinds = [data[at] >> 4, data[at] & 15] if count else []
        return _behind_all(data, at + bool(count), count, kinds)
    if kind == STRUCTURE:
        return _structure(data, at)[1]
    raise ValueError("the header of a page cannot be read")


def _behind_all(data: bytes, at: int, count: int, kinds: list[int]) -> int:
    for _ in range(count):
        for kind in kinds:
            at = _behind(data, at, kind)
        data[at - 1]  # or there are none so many
    return at


def _whole(data: bytes, at: int) -> tuple[int, int]:
    """Return a whole number, whose sign is its last bit, and the place behind it."""
    number, at = _varint(data, at)
    return (number >> 1) ^ -(number & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        number |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return number, at
    raise ValueError("the header of a page cannot be read")
