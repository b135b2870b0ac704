"""Read a file up to a bound; write one, or a folder of them, whole or not at all."""

import contextlib
import errno
import io
import logging
import os
import secrets
import shutil
import signal
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

__all__ = [
    "LARGEST_DATA",
    "LARGEST_TEXT",
    "decoded",
    "fault_of_packed",
    "opened",
    "put_folder",
    "read_bounded",
    "refuse_special",
    "write_all",
    "write_atomically",
    "write_folder",
]

LARGEST_TEXT = 16 * 2**20
"""Bytes of the largest file of settings that is read."""
LARGEST_DATA = 2**32
"""Bytes of the largest file of data that is read as a whole."""

_LOG = logging.getLogger(__name__)
_OF_THE_KERNEL = ("/proc/", "/sys/")
_WAIT_S, _AGAIN_S = 1.0, 0.02
_PIECE = 2**24
_UNITS = {"GiB": 2**30, "MiB": 2**20, "bytes": 1}
_ARCHIVE = b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"7z\xbc\xaf", b"Rar!"
_PACKED = b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"


def read_bounded(path: str | os.PathLike[str], most: int) -> bytes:
    """Return the bytes of a file, or of a pipe, if they are not too many.

    Raises
    ------
    OSError
        If there are more than `most`, if `opened` refuses it, or if it cannot be read;
        names the path.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "answer.txt")
    >>> _ = path.write_bytes(b"42")
    >>> read_bounded(path, 2)
    b'42'
    >>> try:
    ...     read_bounded(path, 1)
    ... except OSError as error:
    ...     print(error.strerror)
    is longer than 1 bytes
    """
    size, pieces, left = os.path.getsize(path), [], most + 1
    with opened(path) as file:
        if size <= most:
            while left and (piece := file.read(min(left, _PIECE))):
                pieces.append(piece)
                left -= len(piece)
    if size > most or not left:
        unit = next(unit for unit in ("GiB", "MiB", "bytes") if most >= _UNITS[unit])
        said = f"is longer than {most // _UNITS[unit]:,} {unit}"
        raise OSError(errno.EFBIG, said, os.fspath(path))
    return b"".join(pieces)


def fault_of_packed(data: bytes, instead: str) -> str:
    r"""Say what bytes are that begin as a workbook does, or as what is packed.

    Parameters
    ----------
    data : bytes
        The first of a file, six at least where it has them.
    instead : str
        What is to be done where it is a workbook.

    Examples
    --------
    >>> fault_of_packed(b"PK\x03\x04", "save it as CSV")
    'is a workbook or archive; save it as CSV'
    >>> fault_of_packed(b"vm,disk", "save it as CSV")
    ''
    """
    if data.startswith(_ARCHIVE):
        return f"is a workbook or archive; {instead}"
    if data.startswith(_PACKED):
        return "is packed (gzip, bzip2, xz or zstd); unpack it first"
    return ""


def decoded(content: bytes) -> str:
    """Return the text of bytes in UTF-8, without the mark it may begin with.

    Raises
    ------
    ValueError
        If they are none, and says where, or if they are packed.

    Examples
    --------
    >>> decoded("\ufeffü".encode())
    'ü'
    >>> decoded("ü".encode("latin-1"))
    Traceback (most recent call last):
    ValueError: is no text in UTF-8 (line 1, byte offset 0); save the file as UTF-8
    """
    if fault := fault_of_packed(content, "save it as text in UTF-8"):
        raise ValueError(fault)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        place = f"line {line}, byte offset {error.start:,}"
        rule = f"is no text in UTF-8 ({place}); save the file as UTF-8"
        raise ValueError(rule) from error


def opened(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Open a file to read it, or a pipe once somebody writes to it.

    Raises
    ------
    OSError
        If `refuse_special` refuses it, a pipe apart, if nobody writes to the pipe
        within a second, or if there is nothing.
    """
    refuse_special(path, pipe=True)
    if stat.S_ISFIFO(os.stat(path).st_mode):
        return _pipe(path)
    return open(path, "rb")


def refuse_special(
    path: str | os.PathLike[str], *, pipe: bool = False, disk: bool = False
) -> None:
    """Refuse what may never begin or end, and what the kernel makes up as it is read.

    Parameters
    ----------
    path : path-like
        What is to be read.
    pipe, disk : bool, optional
        Whether it may be a pipe, or a device that ends.

    Raises
    ------
    OSError
        If it is any of that, or there is nothing.
    """
    mode = os.stat(path).st_mode
    said = ""
    if stat.S_ISCHR(mode) or (stat.S_ISBLK(mode) and not disk):
        said = "is a device, and no file"
    elif stat.S_ISSOCK(mode):
        said = "is a socket, and no file"
    elif stat.S_ISFIFO(mode) and not pipe:
        said = "is a pipe, and no file"
    elif stat.S_ISREG(mode) and os.path.realpath(path).startswith(_OF_THE_KERNEL):
        said = "is made by the kernel, and no file"
    if said:
        raise OSError(errno.EINVAL, said, os.fspath(path))


def _pipe(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Open a pipe, which waits until somebody writes to it: ourselves in the end."""
    is_open, nobody = threading.Event(), threading.Event()

    def give_up() -> None:
        if is_open.wait(_WAIT_S):
            return
        nobody.set()
        while not is_open.wait(_AGAIN_S):
            with contextlib.suppress(OSError):  # it does not wait yet
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))

    threading.Thread(target=give_up, daemon=True).start()
    try:
        file = open(path, "rb")  # noqa: SIM115
    finally:
        is_open.set()
    if nobody.is_set():
        file.close()
        said = "is a pipe to which nobody writes"
        raise OSError(errno.EINVAL, said, os.fspath(path))
    return file


def write_atomically(
    path: str | os.PathLike[str],
    data: bytes | Iterable[bytes],
    *,
    force: bool = False,
) -> None:
    """Write beside the file and rename, so that no reader meets half a file.

    A link is followed: the file it points to is written. A file replaced
    keeps its permissions. When anything fails, the old file stands as it was
    and nothing is left beside it.

    Parameters
    ----------
    path : path-like
        The file to write, in a folder that exists.
    data : bytes or iterable of bytes
        All of its content, at once or piece by piece.
    force : bool
        Whether a file that exists is replaced.

    Raises
    ------
    FileExistsError
        If there is a file and `force` is false, or if what is there is no
        file but a folder or a device. Names the path.
    OSError
        If the folder is missing or the disk refuses; names the path.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "answer.txt")
    >>> write_atomically(path, b"42")
    >>> write_atomically(path, b"43", force=True)
    >>> path.read_bytes()
    b'43'
    """
    write_all({path: data}, force=force)


def write_all(
    files: Mapping[str | os.PathLike[str], bytes | Iterable[bytes]],
    *,
    force: bool = False,
) -> None:
    """Write some files, each as `write_atomically` does; none before all are written.

    Parameters
    ----------
    files : Mapping[path-like, bytes or iterable of bytes]
        Content of each file, by its path.
    force : bool
        Whether files that exist are replaced.

    Raises
    ------
    OSError
        As `write_atomically` does; names the path.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "answer.txt")
    >>> missing = path.parent / "no-folder" / "figure.svg"
    >>> try:
    ...     write_all({path: b"42", missing: b"<svg/>"})
    ... except OSError as error:
    ...     print(error.strerror, path.exists())
    no such folder False
    """
    staged: dict[str | os.PathLike[str], tuple[Path, Path]] = {}
    try:
        for path, data in files.items():
            target = _free(path, force=force)
            beside = target.with_name(f".{secrets.token_hex(8)}.tmp")
            staged[path] = target, beside
            with _about(path), open(beside, "xb") as file:
                file.writelines([data] if isinstance(data, bytes) else data)
                file.flush()
                os.fsync(file.fileno())
        with _undisturbed():
            for path, (target, beside) in staged.items():
                with _about(path):
                    _give_name(beside, target, path, force=force)
    finally:
        for _, beside in staged.values():
            beside.unlink(missing_ok=True)
    for path in staged:
        _LOG.info("%s: written", os.fspath(path))


def _free(path: str | os.PathLike[str], *, force: bool) -> Path:
    """Return the file that is meant, or refuse one that may not be written."""
    target = Path(os.path.realpath(path))
    if target.exists() and not (force and target.is_file()):
        raise _exists(path, replaceable=target.is_file())
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(target.parent))
    return target


@contextlib.contextmanager
def _about(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name one file in what the system says, whatever it names."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = os.fspath(path), None
        raise


def _give_name(
    beside: Path, target: Path, path: str | os.PathLike[str], *, force: bool
) -> None:
    if not force:
        _put(beside, target, path)
        beside.unlink(missing_ok=True)
        return
    if target.exists():
        shutil.copymode(target, beside)
    os.replace(beside, target)


def write_folder(
    path: str | os.PathLike[str],
    files: Mapping[str, bytes | Iterable[bytes]],
    *,
    force: bool = False,
) -> None:
    """Write a folder of files beside its place and rename it, whole or not at all.

    Parameters
    ----------
    path : path-like
        The folder, in one that exists.
    files : Mapping[str, bytes or iterable of bytes]
        Content of each file, by its name.
    force : bool
        Whether a folder that holds files of these names, and no others, is
        replaced.

    Raises
    ------
    FileExistsError
        If the path exists, unless it is an empty folder, or one that may be
        replaced. Names the path.
    OSError
        If the folder around it is missing or the disk refuses; names the path.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "answers")
    >>> write_folder(path, {"a.txt": b"42"})
    >>> (path / "a.txt").read_bytes()
    b'42'
    """
    target = Path(os.path.realpath(path))
    if target.exists():
        if not target.is_dir():
            said = "exists and is not a folder"
            raise FileExistsError(errno.EEXIST, said, os.fspath(path))
        held = {entry.name for entry in target.iterdir()}
        if held - files.keys():
            why = f"holds other files, such as {min(held - files.keys())!r}"
            raise FileExistsError(errno.EEXIST, why, os.fspath(path))
        if held and not force:
            raise _exists(path, replaceable=True)
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(target.parent))
    beside = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        beside.mkdir()
        for name, data in files.items():
            write_atomically(beside / name, data)
        put_folder(beside, target)
    except OSError as error:
        error.filename, error.filename2 = os.fspath(path), None
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def put_folder(beside: Path, target: Path) -> None:
    """Give a folder its name and remove what had it, which stays if that fails."""
    before = target.with_name(f".{secrets.token_hex(8)}.tmp")
    with _undisturbed():
        try:
            if target.exists():
                os.rename(target, before)
            os.rename(beside, target)
        finally:
            if before.exists() and not target.exists():
                os.rename(before, target)
            shutil.rmtree(before, ignore_errors=True)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let an interrupt wait for the end of what is done meanwhile."""
    came, handlers = [], {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if (handler := signal.getsignal(number)) is not None:  # Python's own
                    handlers[number] = handler
                    signal.signal(number, lambda n, _: came.append(n))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)


def _put(beside: Path, target: Path, path: str | os.PathLike[str]) -> None:
    """Give a file its name, unless another program took the name meanwhile."""
    try:
        os.link(beside, target)
    except FileExistsError:
        raise _exists(path, replaceable=True) from None
    except OSError:  # a file system without hard links
        if target.exists():
            raise _exists(path, replaceable=True) from None
        os.replace(beside, target)


def _exists(path: str | os.PathLike[str], *, replaceable: bool) -> FileExistsError:
    why = "exists; force replaces it" if replaceable else "exists and is not a file"
    return FileExistsError(errno.EEXIST, why, os.fspath(path))
