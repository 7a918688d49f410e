"""`osevents`: the only entry point.

Exit codes: 0 done, 1 it failed, 2 the call or the configuration is wrong. Errors are told on
standard error, one line for each, without a traceback.
"""

import sys

import click

from services.cli.asking import refresh
from services.cli.cataloguing import catalogue
from services.cli.explaining import explain
from services.cli.looking import changes, events, inventory
from services.cli.running import catcher, migrate, processor, refresher, simulator, up
from services.cli.status import status
from shared.errors import Misconfigured, OseventsError

FAILED = 1
WRONG = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="osevents")
def cli() -> None:
    """Catch the events of OpenStack clouds: a timeline, a fresh inventory."""


for command in (
    up,
    catcher,
    processor,
    refresher,
    simulator,
    migrate,
    events,
    inventory,
    changes,
    refresh,
    status,
    explain,
    catalogue,
):
    cli.add_command(command)


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
    except click.ClickException as error:
        _tell(error.format_message())
        return WRONG
    except click.Abort:
        return FAILED
    except Misconfigured as error:
        for problem in error.problems:
            _tell(str(problem))
        return WRONG
    except OseventsError as error:
        _tell(str(error))
        return FAILED
    return code if isinstance(code, int) else 0


def _tell(message: str) -> None:
    click.echo(f"osevents: {' '.join(message.split())}", err=True)


if __name__ == "__main__":
    main()
