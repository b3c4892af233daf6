"""`autograder` on the command line, and `python -m autograder`."""

from autograder.cli import app


def main() -> None:
    """Run the command that the arguments name. Raises SystemExit with its exit status."""
    app()


if __name__ == "__main__":
    main()
