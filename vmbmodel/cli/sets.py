"""``vmbmodel fields``, ``profiles``, ``prices`` and ``limits``."""

import datetime
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from vmbmodel._today import today
from vmbmodel._words import counted
from vmbmodel.cli.careful import CarefulCommand
from vmbmodel.cli.examples import epilog
from vmbmodel.cli.options import ForceOption, FormatOption, OutputOption
from vmbmodel.cli.present import Format, deliver, present
from vmbmodel.cli.remarks import bad_input, say
from vmbmodel.render import render_csv, render_json, render_table

__all__ = ["fields", "limits", "price_books", "profiles"]


class _ShowByDefault(TyperGroup):
    """Commands of which ``show`` may be left out."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Put ``show`` before what names no command."""
        if not args or args[0] not in (*self.commands, "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


price_books = typer.Typer(
    cls=_ShowByDefault,
    help="Price books (`show`, which may be left out), or a new one (`import`).",
    rich_markup_mode=None,
)


def fields(
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Every public quantity: name, label, unit, range and what it is."""
    from vmbmodel.fields import fields as field_table

    rows = [
        {
            "name": field.name,
            "label": field.label,
            "unit": field.unit,
            "allowed": field.range.rule
            if field.range
            else " ".join(field.choices or ()),
            "text": field.text,
        }
        for field in field_table().values()
    ]
    _deliver_rows(rows, format_, output, force)


def profiles(
    name: Annotated[str | None, typer.Argument(help="One of them, in full.")] = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Service profiles, or the constants of one with their sources."""
    from vmbmodel.service import PROFILES

    _deliver_catalogue(PROFILES, name, format_, output, force)


@price_books.command("show", cls=CarefulCommand, epilog=epilog("prices show"))
@bad_input("prices show")
def prices(
    name: Annotated[
        str | None, typer.Argument(help="One of them, or a .toml file, in full.")
    ] = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Price books, or the prices of one with their sources."""
    from vmbmodel.service import PRICES

    _deliver_catalogue(PRICES, name, format_, output, force)


@price_books.command("import", cls=CarefulCommand, epilog=epilog("prices import"))
@bad_input("prices import")
def import_prices(
    pages: Annotated[
        list[Path], typer.Argument(help="Pages of the retail price list, as JSON.")
    ],
    region: Annotated[
        str | None, typer.Option(help="Region to take where pages hold several.")
    ] = None,
    usd_per_unit: Annotated[
        float | None,
        typer.Option(help="US dollars for one unit of another currency."),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="Price book for what the list lacks.")
    ] = None,
    retrieved: Annotated[
        datetime.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="When the list was asked for; today by default."
        ),
    ] = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Make a price book of saved pages of the public retail price list."""
    from vmbmodel.plan import DEFAULT_PRICES
    from vmbmodel.service import PRICES, price_book, read_price_list

    asked = retrieved.date() if retrieved else today()
    found = read_price_list(pages, retrieved=asked, region=region)
    rest = PRICES.find(base or DEFAULT_PRICES)
    text = price_book(found, rest, usd_per_unit)
    PRICES.parse(text.encode(), output or Path("book.toml"))
    deliver(text, output, force=force)
    say(
        f"{counted(found.rows, 'row')}: {counted(len(found.meters), 'price')} of "
        f"{found.region} in "
        f"{found.currency}, {counted(found.reservations, 'reservation')} apart, "
        f"{found.not_in_force} not in force on {asked}, "
        f"{counted(found.dropped, 'other meter')} dropped.",
    )
    if found.other_enhanced is not None:
        meter = found.other_enhanced
        say(
            f"Snapshots of Enhanced policies: as on standard HDD; the meter "
            f"{meter.name}, which bills show, has {meter.price:f} {meter.currency}. To "
            "reckon with that, --set snapshot_enhanced_usd_per_gib_month=PRICE."
        )
    if found.missing:
        missing = ", ".join(found.missing)
        say(f"Not in the list, from {rest.name}: {missing}.")
    if found.more:
        say("The last page is missing: each names a next one.")


def limits(
    name: Annotated[str | None, typer.Argument(help="One of them, in full.")] = None,
    format_: FormatOption = Format.TABLE,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Tables of limits, or the limits of one with their sources."""
    from vmbmodel.service import LIMITS

    _deliver_catalogue(LIMITS, name, format_, output, force)


def _deliver_catalogue(catalogue, name, format_, output, force) -> None:
    if name is None:
        sets = [catalogue.load(known) for known in catalogue.available()]
        rows = [
            {
                "name": s.name,
                "as_of": s.as_of.isoformat(),
                "title": s.title,
                "constants": str(len(s)),
                "sha256": s.sha256,
            }
            for s in sets
        ]
    else:
        constants = catalogue.find(name)
        rows = [
            {
                "name": key,
                "value": value if value != float("inf") else "inf",
                "documented": origin.documented,
                "status": origin.status,
                "source": origin.source,
                "locator": origin.locator,
                "retrieved": origin.retrieved.isoformat(),
                "note": origin.note,
            }
            for (key, value), origin in zip(
                constants.items(), constants.origins.values(), strict=True
            )
        ]
    _deliver_rows(rows, format_, output, force)


def _deliver_rows(rows, format_, output, force) -> None:
    columns = list(rows[0])
    present(
        format_,
        output,
        force=force,
        table=lambda: render_table(rows, columns),
        json=lambda: render_json(rows),
        csv=lambda: render_csv(rows, columns),
    )
