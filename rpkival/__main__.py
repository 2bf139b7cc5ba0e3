"""The command `rpkival`, and `python -m rpkival`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line. Ctrl-C is quiet from the first moment on, also while modules are imported."""
    try:
        from rpkival.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
