"""`python -m rpkival`."""

import sys


def _run() -> None:
    """Ctrl-C is quiet from the first moment on, also while modules are imported."""
    try:
        from rpkival.cli.main import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    _run()
