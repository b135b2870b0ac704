"""A package as a front door: its names come from where they live, once asked for."""

TYPE_CHECKING = False  # as `typing` has it, which takes longer to import than this
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["attach"]


def attach(package: str, file: str) -> "tuple[Callable, Callable]":
    """Return ``__getattr__`` and ``__dir__`` of a package that imports nothing yet.

    What was asked for once stays in the package, as if it had been imported. The
    stub beside the package's ``__init__.py`` says where each name lives, for type
    checkers and for this alike.

    Parameters
    ----------
    package, file : str
        ``__name__`` and ``__file__`` of the package.

    Examples
    --------
    >>> import vmbmodel
    >>> get, names = attach("vmbmodel", vmbmodel.__file__)
    >>> "formulas" in names()
    True
    """
    found = {}

    def homes() -> dict[str, tuple[str, str]]:
        import ast

        if not found:
            with open(f"{file.rpartition('.')[0]}.pyi", encoding="utf-8") as stub:
                tree = ast.parse(stub.read())
            for node in tree.body:
                if isinstance(node, ast.ImportFrom):
                    homes = {
                        a.asname or a.name: (node.module, a.name) for a in node.names
                    }
                    found.update(homes)
        return found

    def get(name: str) -> object:
        import importlib
        import sys

        if name == "__all__":
            return sorted(homes())
        if name.startswith("_") or name not in homes():
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, original = homes()[name]
        try:
            if module == package:  # a package or module of its own
                value = importlib.import_module(f"{package}.{original}")
            else:
                value = getattr(importlib.import_module(module), original)
        except ModuleNotFoundError as error:
            from vmbmodel._extras import remedy

            lacks = remedy(error)
            if lacks is None:
                raise
            why = f"{package}.{name} needs {lacks}"
            raise ModuleNotFoundError(why, name=error.name) from error
        vars(sys.modules[package])[name] = value
        return value

    def names() -> list[str]:
        return sorted(homes())

    return get, names
