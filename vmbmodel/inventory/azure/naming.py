"""Names of resources: short ones, and which VM is meant by one."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable

from vmbmodel.inventory.azure.lists import Vm
from vmbmodel.inventory.files import Resource

__all__ = ["Places", "alike", "inert", "short_names", "spelt_alike"]

FORMULA_STARTS = ("=", "+", "-", "@")


def alike(name: str) -> str:
    """Return what names that differ by case and blanks only have in common."""
    lower = name.lower()
    if not lower.isascii():
        lower = unicodedata.normalize("NFC", lower)
    return "".join(lower.split())


def inert(name: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula.

    >>> inert("=1+1"), inert("web-01")
    ("'=1+1", 'web-01')
    """
    return f"'{name}" if name.startswith(FORMULA_STARTS) else name


def short_names(resources: Iterable[tuple[Resource, str]]) -> dict[str, str]:
    """Name resources, each with the name it has, so that no two have one name.

    Where several have it, that is ``group/name``, or ``subscription/group/name`` where
    that is not enough. The result is by key of the resource.
    """
    named = {resource.key: (resource, inert(name)) for resource, name in resources}
    choices = {
        key: (
            name,
            inert(f"{resource.group}/{name}"),
            inert(f"{resource.subscription}/{resource.group}/{name}"),
            key,
        )
        for key, (resource, name) in named.items()
    }
    result = dict.fromkeys(choices)
    open_keys = list(choices)
    for level in range(4):
        counts = Counter(alike(choices[key][level]) for key in open_keys)
        taken = {alike(name) for name in result.values() if name}
        again = []
        for key in open_keys:
            name = choices[key][level]
            if level == 3 or (counts[alike(name)] == 1 and alike(name) not in taken):
                result[key] = name
            else:
                again.append(key)
        open_keys = again
    return result


def spelt_alike(names: Iterable[str | None]) -> list[str | None]:
    """Spell names that differ by case and blanks only as the first of them."""
    first: dict[str, str] = {}
    return [
        name if name is None else first.setdefault(alike(name), inert(name))
        for name in names
    ]


class Places:
    """VMs by key, by group and name, and by name."""

    def __init__(self, vms: Iterable[Vm]) -> None:
        vms = list(vms)
        self.names = short_names((vm.id, vm.name) for vm in vms)
        self._full: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for vm in vms:
            key, name = vm.id.key, alike(vm.name)
            places = {
                (name,),
                (vm.id.group, name),
                (vm.id.subscription, vm.id.group, name),
                tuple(alike(self.names[key]).split("/")),
            }
            for place in places:
                self._full[place].append(key)

    def __contains__(self, key: str) -> bool:
        """Say whether a key is that of a VM."""
        return key in self.names

    def find(
        self, subscription: str | None, group: str | None, name: str
    ) -> str | None:
        """Return the key of the one VM that is meant; None for none or several.

        The name may have the group in front.
        """
        group = group.lower() if group else None
        end = tuple(alike(name).split("/"))
        if subscription and group:
            keys = self._full.get((subscription, group, *end), ())
            if len(keys) == 1:
                return keys[0]
        for place in ((group, *end) if group else end, end):
            keys = self._full.get(place, ())
            if len(keys) == 1:
                return keys[0]
            if keys:
                return None
        return None
