"""A bill beside the model: the causes add up, and name what was changed."""

import json
import math
import time
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from vmbmodel.cli import app
from vmbmodel.inventory.bill.focus import LINES, Bill
from vmbmodel.plan.bill import CAUSES, reconcile
from vmbmodel.plan.estimate.answer import estimate
from vmbmodel.plan.scenario import Scenario

SCENARIO = Scenario.of()
PRICES = SCENARIO.prices
RATES = {
    "instances": PRICES["instance_fee_usd"],
    "LRS": PRICES["lrs_usd_per_gib_month"],
    "GRS": PRICES["grs_usd_per_gib_month"],
    "snapshots": PRICES["snapshot_standard_usd_per_gib_month"],
}


def fleet(**columns):
    disks = [
        {"vm": "a", "disk": "os", "role": "os", "size_gib": 128, "used_gib": 47},
        {"vm": "b", "disk": "os", "role": "os", "size_gib": 2048, "used_gib": 1200},
        {"vm": "c", "disk": "os", "role": "os", "size_gib": 512, "used_gib": 400},
    ]
    return pd.DataFrame(disks).assign(vault=["V1", "V1", "V2"], **columns)


def as_modelled(disks=None, months=1.0, scenario=SCENARIO):
    """Return the bill of somebody who is charged what the model says."""
    disks = fleet() if disks is None else disks
    vms = estimate(disks, scenario).vms
    rows = []
    redundancy = disks.get("redundancy", scenario["redundancy"])
    vms = vms.assign(vault=disks["vault"].str.lower(), redundancy=redundancy)
    for vm in vms.itertuples():
        quantities = {
            "instances": vm.protected_instances,
            vm.redundancy: vm.stored_gib,
        }
        for line, quantity in quantities.items():
            rows.append((vm.vault, line, quantity))
    rows.append(("", "snapshots", vms["snapshot_usd"].sum() / RATES["snapshots"]))
    table = pd.DataFrame(rows, columns=["vault", "line", "quantity"])
    table["quantity"] *= months
    table["cost"] = table["quantity"] * table["line"].map(RATES)
    return Bill(
        table.assign(month="2026-01"), {"2026-01": months}, "USD", {}, len(rows), 0
    )


def near(usd):
    return pytest.approx(usd, abs=1e-9)


def test_a_bill_as_modelled_leaves_nothing():
    answer = reconcile(fleet(), as_modelled(), SCENARIO)
    assert answer.modelled_usd == near(estimate(fleet(), SCENARIO).total["total_usd"])
    assert answer.billed_usd == near(answer.modelled_usd)
    assert all(usd == near(0) for usd in answer.causes.values())
    assert answer.notes == ()


@pytest.mark.parametrize(
    ("line", "cause"),
    [("instances", "tier"), ("GRS", "vault_bytes"), ("snapshots", "snapshots")],
)
def test_another_quantity_is_named(line, cause):
    bill = as_modelled()
    at = bill.rows.index[bill.rows["line"] == line][0]
    rate = RATES[line]
    bill.rows.loc[at, "quantity"] += 3
    bill.rows.loc[at, "cost"] += 3 * rate
    causes = reconcile(fleet(), bill, SCENARIO).causes
    assert causes[cause] == near(3 * rate)
    assert all(usd == near(0) for name, usd in causes.items() if name != cause)


def test_another_price_is_named():
    bill = as_modelled()
    bill.rows["cost"] *= 0.9
    answer = reconcile(fleet(), bill, SCENARIO)
    assert answer.causes["price"] == near(-0.1 * answer.modelled_usd)
    assert answer.causes["tier"] == near(0)
    assert answer.difference_frac == pytest.approx(-0.1)


def test_a_discount_of_the_scenario_is_one_of_the_model():
    discounts = {f"{n}_discount_frac": 0.1 for n in ("instance", "storage", "snapshot")}
    bill = as_modelled()
    bill.rows["cost"] *= 0.9
    answer = reconcile(fleet(), bill, Scenario.of(settings=discounts))
    assert all(usd == near(0) for usd in answer.causes.values())


def test_another_redundancy_is_named():
    bill = as_modelled()
    disks = fleet(redundancy="LRS")
    answer = reconcile(disks, bill, SCENARIO)
    gib = estimate(disks, SCENARIO).total["stored_gib"]
    assert answer.causes["redundancy"] == near(gib * (RATES["GRS"] - RATES["LRS"]))
    assert answer.causes["vault_bytes"] == near(0)


def test_stopped_vms_and_unknown_vaults_are_told_apart():
    stopped = fleet().iloc[[1]].assign(vm="gone")
    everything = pd.concat([fleet(), stopped], ignore_index=True)
    # the bill of a vault with a VM that is no longer backed up; no snapshots of it
    bill = as_modelled(everything)
    snapshots = as_modelled().rows.query("line == 'snapshots'")
    rows = bill.rows[bill.rows["line"] != "snapshots"]
    strange = {"vault": "v9", "line": "instances", "quantity": 1, "cost": 10}
    rows = pd.concat([rows, snapshots, pd.DataFrame([strange])], ignore_index=True)
    bill = Bill(rows.assign(month="2026-01"), {"2026-01": 1.0}, "USD", {}, 9, 0)
    answer = reconcile(fleet(), bill, SCENARIO, stopped=stopped)
    one = estimate(stopped, SCENARIO).total
    retained = one["instance_usd"] + one["storage_usd"]
    assert answer.causes["stopped_items"] == near(retained)
    assert answer.causes["not_in_inventory"] == near(10)
    assert answer.causes["tier"] == near(0)
    without = reconcile(fleet(), bill, SCENARIO)
    assert without.causes["tier"] == near(one["instance_usd"])
    (more,) = (note for note in without.notes if "--stopped" in note)
    assert "v9" not in more  # a vault of no VM in the inventory has a cause of its own


def test_without_vaults_in_the_inventory_all_of_the_bill_is_one():
    disks = fleet().drop(columns="vault")
    answer = reconcile(disks, as_modelled(), SCENARIO)
    assert answer.causes["not_in_inventory"] == near(0)
    assert answer.difference_usd == near(0)


def test_snapshots_of_two_policies_are_counted_at_their_own_prices():
    # two snapshots of 1 GiB at 0.12 USD, and 100 + 1 GiB at 0.05
    disk = {"disk": "os", "role": "os", "size_gib": 128, "used_gib": 100}
    disk |= {"churn_gib_per_day": 1, "snapshot_points": 2}
    kinds = {"a": "standard", "b": "enhanced"}
    disks = [disk | {"vm": vm, "snapshot_policy": kind} for vm, kind in kinds.items()]
    billed = {"month": "2026-01", "vault": "", "line": "snapshots"}
    rows = pd.DataFrame([billed | {"quantity": 103.0, "cost": 5.29}])
    bill = Bill(rows, {"2026-01": 1.0}, "USD", {}, 1, 0)
    answer = reconcile(pd.DataFrame(disks), bill)
    line = answer.lines.set_index("line").loc["snapshots"]
    assert line["modelled"] == pytest.approx(103)
    assert line["modelled_usd"] == pytest.approx(5.29)
    assert answer.causes["snapshots"] == pytest.approx(0, abs=1e-9)


def test_a_bill_without_snapshots_is_said_to_have_none():
    bill = as_modelled()
    some = bill.rows["line"] == "snapshots"
    for rows, lacks in ((bill.rows, False), (bill.rows[~some], True)):
        answer = reconcile(fleet(), replace(bill, rows=rows), SCENARIO)
        said = {cause["cause"]: cause["text"] for cause in answer.to_dict()["causes"]}
        text = "The bill has no snapshots of backup; the model gives some."
        assert said == CAUSES | ({"snapshots": text} if lacks else {})
        assert len(answer.notes) == lacks
        assert all("in AzureBackupRG_REGION_1" in note for note in answer.notes)
    none = Scenario.of(settings={"snapshot_points": 0})
    answer = reconcile(fleet(), as_modelled(scenario=none), none)
    assert answer.notes == ()
    assert answer.texts == CAUSES
    unknown = {"Some Snapshots": 3.0}  # which are told of themselves
    bill = replace(bill, rows=bill.rows[~some], unknown_snapshots=unknown)
    (note,) = reconcile(fleet(), bill, SCENARIO).notes
    assert note.startswith("3.00 USD of Some Snapshots are snapshots under a meter")


@pytest.mark.parametrize(
    ("billed", "columns", "changes", "cure"),
    [
        (106.0, {}, {}, "is it --set snapshot_policy=enhanced?"),
        (106.0, {"snapshot_policy": "standard"}, {}, "say enhanced in the column"),
        (106.0, {"snapshot_policy": ["enhanced", None, None]}, {}, None),
        (106.0, {"trusted_launch": True}, {}, None),
        (106.0, {}, {"snapshot_policy": "enhanced"}, None),
        (0.0, {}, {}, None),
    ],
)
def test_snapshots_billed_under_a_policy_that_no_vm_has_are_pointed_out(
    billed, columns, changes, cure
):
    bill = replace(as_modelled(), enhanced_gib=billed)
    scenario = Scenario.of(settings=changes)
    notes = reconcile(fleet(**columns), bill, scenario).notes
    assert len(notes) == (cure is not None)
    for note in notes:
        assert note.startswith("106 GiB-months of snapshots are billed as of an Enh")
        assert cure in note


def test_half_a_month_is_half_the_bill():
    answer = reconcile(fleet(), as_modelled(months=0.5), SCENARIO)
    assert answer.difference_usd == near(0)
    assert "covers 50% of 2026-01" in answer.notes[0]


def test_another_currency_needs_its_rate():
    bill = as_modelled()
    euros = Bill(bill.rows, bill.covered_frac, "EUR", {}, 1, 0)
    with pytest.raises(ValueError, match="in EUR and the price book in USD"):
        reconcile(fleet(), euros, SCENARIO)
    with pytest.raises(ValueError, match="above 0"):
        reconcile(fleet(), euros, SCENARIO, usd_per_unit=0)
    with pytest.raises(ValueError, match="leave --usd-per-unit out"):
        reconcile(fleet(), bill, SCENARIO, usd_per_unit=2)
    answer = reconcile(fleet(), euros, SCENARIO, usd_per_unit=2)
    assert answer.billed_usd == near(2 * answer.modelled_usd)


def test_what_is_left_out_of_a_bill_is_said_in_the_currency_of_the_prices():
    modelled = as_modelled()
    others = {"Archive": 10.0}, {"Own": 20.0}, {"Strange": 30.0}
    bill = Bill(modelled.rows, {"2026-01": 1.0}, "EUR", others[0], 1, 0, *others[1:])
    answer = reconcile(fleet(), bill, SCENARIO, usd_per_unit=1.25)
    for begin in ("25.00 USD of Own", "37.50 USD of Strange", "12.50 USD of Archive"):
        assert sum(note.startswith(begin) for note in answer.notes) == 1, begin
    dearer_usd = answer.modelled_usd / 4
    assert answer.causes["price"] == near(dearer_usd)
    assert answer.overview().lines[1] == f"of which price {dearer_usd:,.2f}"


@pytest.mark.parametrize(("more", "said"), [(0.49, False), (0.51, True)])
def test_half_an_instance_more_than_modelled_is_a_vm_more(more, said):
    bill = as_modelled()
    at = bill.rows.index[bill.rows["line"] == "instances"][0]
    bill.rows.loc[at, "quantity"] += more
    notes = " ".join(reconcile(fleet(), bill, SCENARIO).notes)
    assert (f"v1 {more:.1f}. A VM whose backup" in notes) == said


def test_a_bill_of_what_costs_nothing_by_the_model():
    free = {
        f"{name}_discount_frac": 1.0 for name in ("instance", "storage", "snapshot")
    }
    bill = as_modelled()
    answer = reconcile(fleet(), bill, Scenario.of(settings=free))
    assert answer.modelled_usd == 0
    assert answer.difference_frac == math.inf
    assert answer.difference_usd == near(bill.rows["cost"].sum())


charges = st.lists(
    st.tuples(
        st.sampled_from(["", "v1", "v2", "v9"]),
        st.sampled_from(LINES[:-1]),
        st.floats(-1e6, 1e6),
        st.floats(-1e6, 1e6),
    ),
    min_size=1,
)


@given(charges, st.floats(0.01, 12), st.booleans())
@settings(max_examples=25)
def test_the_causes_add_up_to_the_difference(rows, months, with_stopped):
    table = pd.DataFrame(rows, columns=["vault", "line", "quantity", "cost"])
    bill = Bill(table.assign(month="2026-01"), {"2026-01": months}, "USD", {}, 1, 0)
    stopped = fleet().iloc[[2]] if with_stopped else None
    answer = reconcile(fleet(), bill, SCENARIO, stopped=stopped)
    assert set(answer.causes) == set(CAUSES)
    # up to the rounding of the amounts that are split
    amounts = table[["quantity", "cost"]].abs().to_numpy()
    large = amounts.sum() * 10 + answer.modelled_usd
    assert math.fsum(answer.causes.values()) == pytest.approx(
        answer.difference_usd, abs=1e-12 * large + 1e-9
    )


HEAD = (
    "BilledCost,BillingCurrency,ChargePeriodEnd,ChargePeriodStart,PricingQuantity,"
    "PricingUnit,ResourceId,x_SkuMeterCategory,x_SkuMeterName\n"
)
ROW = (
    "{cost},USD,2026-02-01,2026-01-01,{quantity},{unit},/x/vaults/{vault},Backup,"
    "{meter}\n"
)


def test_the_command_gates_and_writes_what_is_inert(tmp_path):
    runner, disks, bill = CliRunner(), tmp_path / "fleet.csv", tmp_path / "bill.csv"
    fleet().to_csv(disks, index=False)
    meter = "Azure VM Protected Instance"
    text = HEAD + ROW.format(
        cost=5, quantity=0.5, unit="1/Month", vault="=cmd|x", meter=meter
    )
    bill.write_text(text)
    asked = ["reconcile", str(disks), str(bill)]
    out = runner.invoke(app, asked)
    assert out.exit_code == 0, out.output
    assert "not_in_inventory" in out.output
    gated = runner.invoke(app, [*asked, "--tolerance-frac", "0.05"])
    assert gated.exit_code == 1
    rows = runner.invoke(app, [*asked, "--format", "csv"]).stdout
    assert "\n'=cmd|x,instances" in rows
    answer = json.loads(runner.invoke(app, [*asked, "--format", "json"]).stdout)
    assert answer["schema"] == "vmbmodel.reconcile/1"
    total = math.fsum(cause["difference_usd"] for cause in answer["causes"])
    assert total == pytest.approx(answer["difference_usd"])


def test_bad_bills_and_inventories_end_with_2(tmp_path):
    disks, bill = tmp_path / "fleet.csv", tmp_path / "bill.csv"
    fleet().to_csv(disks, index=False)
    bill.write_text(HEAD)
    for asked in ([str(disks), str(bill)], [str(bill), str(bill)], [str(disks), "no"]):
        out = CliRunner().invoke(app, ["reconcile", *asked])
        assert out.exit_code == 2
        assert "Traceback" not in out.output


def test_a_bill_of_many_vaults_takes_time_in_proportion_and_names_ten():
    count = 20_000
    vaults = [f"v{i:05}" for i in range(count)]
    one = {"disk": "os", "role": "os", "size_gib": 128, "used_gib": 47}
    disks = pd.DataFrame({"vm": vaults, "vault": vaults}).assign(**one)
    line = {"month": "2026-01", "line": "instances", "quantity": 2.0, "cost": 10.0}
    rows = pd.DataFrame({"vault": vaults}).assign(**line)
    others = {f"meter {i:02}": float(i) for i in range(15)}
    bill = Bill(rows, {"2026-01": 1.0}, "USD", others, count, 0)
    began = time.process_time()
    answer = reconcile(disks, bill, SCENARIO)
    assert time.process_time() - began < 15  # it was minutes
    assert answer.causes["tier"] == pytest.approx(1.5 * RATES["instances"] * count)
    more, lacks, *left_out = answer.notes
    assert lacks.startswith("The bill has no snapshots")
    named = ", ".join(f"v{i:05} 1.5" for i in range(10))
    assert f": {named} and {count - 10:,} more. A VM whose" in more
    assert len(left_out) == 11
    assert left_out[0].startswith("5.00 USD of meter 05 are charges")
    assert left_out[-1].startswith("10.00 USD of 5 more meters are charges")


def test_months_that_are_not_whole_are_named_in_one_note():
    months = {f"20{year}-01": 0.5 for year in range(26, 41)}
    bill = Bill(as_modelled().rows, months, "USD", {}, 1, 0)
    (note, *_) = reconcile(fleet(), bill, SCENARIO).notes
    assert note.startswith("The bill covers 50% of 2026-01, 50% of 2027-01, ")
    assert note.endswith("50% of 2035-01 and 5 more.")


def test_a_bill_as_modelled_names_no_cause(tmp_path):
    disks, bill = tmp_path / "fleet.csv", tmp_path / "bill.csv"
    fleet().iloc[:1].assign(churn_gib_per_day=0).to_csv(disks, index=False)
    unit, meters = "1/Month", ("Azure VM Protected Instance", "GRS Data Stored")
    costs = (0.5, 5.0), (47, 47 * RATES["GRS"])
    rows = [
        ROW.format(cost=cost, quantity=n, unit=unit, vault="v1", meter=meter)
        for meter, (n, cost) in zip(meters, costs, strict=True)
    ]
    bill.write_text(HEAD + "".join(rows))
    asked = ["reconcile", str(disks), str(bill), "--set", "snapshot_points=0"]
    out = CliRunner().invoke(app, asked)
    assert out.exit_code == 0, out.output
    assert out.stdout.rstrip().endswith("over 1 month: +0.00 USD (+0.0%).")
    more = CliRunner().invoke(app, [*asked, "--set", "redundancy=LRS"]).stdout
    assert "%), of which\n" in more
    assert "redundancy: The bill has another redundancy" in more
