"""`osevents`: the only entry point.

Exit codes: 0 done, 1 it failed, 2 the call or the configuration is wrong. Errors are told on
standard error, one line for each, without a traceback.
"""

import difflib
import errno
import importlib
import sys

import click

from services.cli.standard_output import NotPrinted
from shared.errors import Misconfigured, OseventsError

FAILED = 1
WRONG = 2
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What writing says of a full disk. Where a reader is gone (`| head`) click ends without a word."""


COMMANDS = {
    "up": "running.commands",
    "catcher": "running.commands",
    "processor": "running.commands",
    "refresher": "running.commands",
    "simulator": "running.commands",
    "migrate": "running.commands",
    "events": "looking.events",
    "replay": "mending.replay",
    "inventory": "looking.inventory",
    "changes": "looking.inventory",
    "refresh": "mending.refresh",
    "status": "looking.status",
    "doctor": "doctor.command",
    "publish": "publish.command",
    "rules": "rules.command",
    "dead": "mending.dead",
    "explain": "looking.explain",
    "catalogue": "looking.catalogue",
}
"""Each command and the module that has it, in the order of `--help`."""


class Commands(click.Group):
    """Imports a command when it is called: openstacksdk alone takes longer than a look takes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of that name, None when there is none."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = getattr(importlib.import_module(f"services.cli.{module}"), cmd_name)
        assert isinstance(command, click.Command), f"{module}.{cmd_name} is a command"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of a call; a mistyped one is told with the one that was meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "See: osevents --help"
            raise click.UsageError(f"{error.message} {hint}", ctx) from error


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="osevents")
def cli() -> None:
    """Catch the events of OpenStack clouds: a timeline, a fresh inventory."""


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    try:
        code = cli.main(args=arguments, prog_name="osevents", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return WRONG
    except click.Abort:
        return FAILED
    except (click.ClickException, OseventsError) as error:
        return _explain(error)
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        return _explain(NotPrinted(error))
    return code if isinstance(code, int) else 0


def _explain(error: click.ClickException | OseventsError) -> int:
    """Tell what is wrong, a line for each problem; return the exit code."""
    if isinstance(error, Misconfigured):
        lines = [str(problem) for problem in error.problems]
    elif isinstance(error, click.ClickException):
        lines = [error.format_message()]
    else:
        lines = [str(error)]
    for line in lines:
        click.echo(f"osevents: {' '.join(line.split())}", err=True)
    return WRONG if isinstance(error, click.ClickException | Misconfigured) else FAILED


if __name__ == "__main__":
    main()
