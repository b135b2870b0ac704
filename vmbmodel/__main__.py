"""``python -m vmbmodel``, and what the program ``vmbmodel`` runs."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line, or say what it lacks."""
    try:
        from vmbmodel.cli import app
    except ModuleNotFoundError as error:
        from vmbmodel._extras import remedy

        lacks = remedy(error)
        if lacks is None:
            raise
        print(f"vmbmodel: the command line needs {lacks}", file=sys.stderr)
        sys.exit(2)
    app()


if __name__ == "__main__":
    main()
