"""``python -m vmbmodel``, and what the program ``vmbmodel`` runs."""

import contextlib
import errno
import mmap
import signal
import sys
import tempfile
import traceback

__all__ = ["main"]

_LEAST = 2**28
"""Bytes that the libraries take at least. With less, some end a program themselves."""

_EVERYWHERE = ("-q", "--quiet", "-v", "--verbose")


def main() -> None:
    """Run the command line; say what it lacks, and where the trace of a fault is."""
    signal.signal(signal.SIGTERM, _terminate)  # what is half done is taken away
    try:
        mmap.mmap(-1, _LEAST).close()
        _run()
    except KeyboardInterrupt:  # before the command line could heed it
        sys.exit(128 + signal.SIGINT)
    except Exception as error:  # what nobody foresaw
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        with contextlib.suppress(Exception):  # no word of it can be printed
            said = error.strerror if full else _fault(error)
            print(f"vmbmodel: {said}", file=sys.stderr)
        sys.exit(2 if full else 3)


def _run() -> None:
    try:
        from vmbmodel.cli import app
    except ModuleNotFoundError as error:
        from vmbmodel._extras import remedy

        lacks = remedy(error)
        if lacks is None:
            raise
        print(f"vmbmodel: the command line needs {lacks}", file=sys.stderr)
        sys.exit(2)
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)  # behind it: no options
    first = [word for word in words[:end] if word in _EVERYWHERE]
    rest = [word for word in words[:end] if word not in _EVERYWHERE]
    app([*first, *rest, *words[end:]])


def _terminate(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


def _lacks_memory(error: BaseException | None) -> bool:
    """Say whether there was too little memory, for data or for a library to load."""
    if error is None:
        return False
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    loading = isinstance(error, ImportError) and "failed to map segment" in str(error)
    if isinstance(error, MemoryError) or loading:
        return True
    return _lacks_memory(error.__cause__ or error.__context__)


def _fault(error: Exception) -> str:
    if _lacks_memory(error):
        return "there is not enough memory for this; nothing was written"
    what = f"{type(error).__name__}: {error}".partition("\n")[0]
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="vmbmodel-", suffix=".txt", encoding="utf-8", delete=False
        ) as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return f"a fault of this program, not of your input: {what}"
    return (
        f"a fault of this program, not of your input: {what}\n"
        f"Its trace is in {file.name}; please send it to those who keep the program."
    )


if __name__ == "__main__":
    main()
