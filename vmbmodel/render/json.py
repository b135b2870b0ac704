"""Results as JSON: whole, piece by piece, or fit to stand inside a page."""

import json
from collections.abc import Iterable, Iterator, Mapping

__all__ = ["inert_json", "render_json", "stream_json"]


def render_json(result: object) -> str:
    """Return a result as JSON; infinity has to be a word by now.

    >>> print(render_json({"first_backup_h": "inf"}))
    {
      "first_backup_h": "inf"
    }
    """
    return json.dumps(result, indent=2, allow_nan=False, ensure_ascii=False)


def stream_json(items: Iterable[tuple[str, object]]) -> Iterator[str]:
    """Give a large object as JSON, piece by piece, an entry of each part a line.

    >>> print("".join(stream_json([("vms", iter([{"vm": "a"}, {"vm": "b"}]))])))
    {
      "vms": [
        {"vm": "a"},
        {"vm": "b"}
      ]
    }
    """
    encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode
    before = "{\n"
    for name, value in items:
        yield f"{before}  {encode(name)}: "
        before = ",\n"
        if isinstance(value, Mapping) and value:
            lines = (f"{encode(key)}: {encode(entry)}" for key, entry in value.items())
            yield from _block("{", lines, "}")
        elif isinstance(value, Iterator | list):
            yield from _block("[", map(encode, value), "]")
        else:
            yield encode(value)
    yield "\n}"


def inert_json(result: object) -> str:
    r"""Return JSON that can stand inside a page without ending or opening a tag.

    >>> print(inert_json(["<b>"]))
    [
      "\u003cb\u003e"
    ]
    """
    text = render_json(result)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _block(opening: str, lines: Iterable[str], closing: str) -> Iterator[str]:
    before = f"{opening}\n    "
    for line in lines:
        yield before + line
        before = ",\n    "
    yield f"{opening}{closing}" if before.startswith(opening) else f"\n  {closing}"
