"""Inventories that the cases are about."""

import pandas as pd

import vmbmodel as vm


def disk(of, name="os", size=128, used=47, **cells):
    """Return a row of an inventory."""
    role = "os" if name == "os" else "temp" if name.startswith("temp") else "data"
    row = {"vm": of, "disk": f"{of}-{name}", "role": role}
    return row | {"size_gib": size, "used_gib": used} | cells


def edge_fleet():
    """Return disks at the edges: full, empty, at a step, first, unmanaged."""
    in_a = {"vault": "vault-a", "policy": "night", "start_h": 22, "redundancy": "LRS"}
    in_b = {"vault": "vault-b", "policy": "hours", "start_h": 23.5, "interval_h": 4}
    in_b |= {"window_h": 12, "snapshot_policy": "enhanced", "snapshot_points": 7}
    in_c = {"vault": "vault-c", "policy": "old", "start_h": 0, "redundancy": "ZRS"}
    kept = {"weekly_points": 12, "monthly_points": 60, "yearly_points": 10}
    rows = [
        disk("at-50", size=64, used=50, **in_a),
        disk("below-50", size=64, used=49.99, **in_a),
        disk("at-500", size=1024, used=500, churn_gib_per_day=0, **in_a),
        disk("above-500", "os", 127, 1, churn_gib_per_day=0.25, **in_a),
        disk(
            "above-500", "data", 1024, 500, churn_gib_per_day=40, dispersion=1, **in_a
        ),
        disk("empty", size=32, used=0, **in_a),
        disk("full", size=1024, used=1024, churn_gib_per_day=1024, **in_a),
        disk("first", size=512, used=300, first_backup=True, **in_a, **kept),
        disk("new", "os", 128, 60, write_kib=4, disk_type="premium-ssd", **in_b),
        disk("new", "data", 4095, 2000, new_disk=True, disk_type="P50", **in_b),
        disk("new", "temp", 64, 30, **in_b),
        disk("checked", size=8192, used=5000, cc_mode=True, active_frac=0.2, **in_b),
        disk("trusted", used=90, trusted_launch=True, os="linux", **in_b),
        disk("left-out", "os", 128, 80, **in_b),
        disk("left-out", "data", 256, 200, excluded=True, **in_b),
        disk("kept-long", size=256, used=100, archive=True, **in_c, **kept),
        disk("by-week", recovery_points=0, weekly_points=5, month_day=28, **in_c),
        disk("ultra", "os", 128, 40, disk_type="standard-hdd", **in_c),
        disk("ultra", "data", 512, 400, disk_type="ultra", dispersion=0, **in_c),
        disk("huge", "os", 128, 100, redundancy="RA-GRS", start_h=23),
        disk("huge", "data1", 65536, 20000, redundancy="RA-GRS", churn_gib_per_day=201),
        disk("bare"),
    ]
    for number in range(6):
        account = {"managed": False, "storage_account": f"store{number // 4}"}
        name = f"classic-{number}"
        rows.append(disk(name, "os", 128, 60 + 10 * number, **account, **in_c))
        rows.append(disk(name, "data", 1023, 300, write_kib=64, **account, **in_c))
    return pd.DataFrame(rows)


def crowd(vms, **cells):
    """Return as many VMs of one policy."""
    rows = [disk(f"v{n:03}", used=20 + 7 * (n % 11), **cells) for n in range(vms)]
    return pd.DataFrame(rows)


def some(*names):
    """Return some VMs of the fleet at the edges."""
    fleet = edge_fleet()
    return fleet[fleet["vm"].isin(names)].reset_index(drop=True)


def small():
    """Return five VMs that have something of everything."""
    return some("at-500", "above-500", "new", "kept-long", "classic-4", "first")


FLEETS = {
    "sample": vm.sample_fleet,
    "edges": edge_fleet,
    "one": lambda: some("bare"),
    "crowd": lambda: crowd(7, vault="v", start_h=22),
}
