"""`autograder` on the command line, and `python -m autograder`."""

from autograder.cli import app


def main() -> None:
    app()


if __name__ == "__main__":
    main()
