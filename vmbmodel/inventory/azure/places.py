"""Which VM a name means, where the name alone may not be enough."""

from collections import defaultdict
from collections.abc import Iterable

from vmbmodel.inventory.azure.lists import Vm
from vmbmodel.inventory.azure.naming import alike, short_names

__all__ = ["Places"]


class Places:
    """VMs by key, by group and name, and by name.

    Parameters
    ----------
    vms : iterable of Vm
        The VMs.
    """

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

        Parameters
        ----------
        subscription, group : str or None
            What is known of where it is.
        name : str
            Its name, perhaps with the group in front.
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
