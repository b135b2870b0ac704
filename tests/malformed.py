"""Files that went wrong: cut, doubled, shuffled, or with cells of other kinds."""

import random

from vmbmodel.inventory.files import InventoryError

CELLS = (
    b"", b"abc", b"-1", b"1e999", b"nan", b"1,024", b"1,5", b"99999999999999999999",
    b"=1+1", b"\"", b"'", b"true", b"31/12/2026", b"25:61", b"\x00", b"\xff\xfe",
    b"\xc3", "\N{RIGHT-TO-LEFT OVERRIDE}".encode(), b"[[", b"{}", b"[]", b"null",
)  # fmt: skip
"""What a cell may hold that it should not."""


def refusals(read, path, count: int):
    """Give what a reader says of a file made wrong in so many ways, if it refuses it.

    It may do so with an `InventoryError` only.
    """
    good = path.read_bytes()
    for bad in malformed(good, count):
        path.write_bytes(bad)
        try:
            read(path.name)
        except InventoryError as error:
            yield error.findings
    path.write_bytes(good)


def malformed(data: bytes, count: int, seed: int = 2026, marks: bytes = b',\n"='):
    """Give a file made wrong in so many ways, the same each time."""
    chance = random.Random(seed)
    for _ in range(count):
        made = data
        for _ in range(chance.randint(1, 3)):
            made = _worse(made, chance, marks)
        yield made


def _worse(data: bytes, chance: random.Random, marks: bytes) -> bytes:
    """Return a file with one thing more that is wrong."""
    at, end = sorted(chance.randint(0, len(data)) for _ in range(2))
    way = chance.randrange(7)
    if way == 0:
        return data[:at]
    if way == 1:
        return data[:at] + data[end:]
    if way == 2:
        return data[:end] + data[at:]
    if way == 3:
        return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    if way == 4:
        lines = data.splitlines(keepends=True)
        chance.shuffle(lines)
        return b"".join(lines)
    begins = [i + 1 for i, byte in enumerate(data) if byte in marks] or [0]
    begin = chance.choice(begins)
    length = next((i for i, b in enumerate(data[begin:]) if b in marks), 0)
    return data[:begin] + chance.choice(CELLS) + data[begin + length :]
