"""What `python3 install.py` does: the machine, the environment, the packages, then the rest.

    python3 install.py              install or update: environment, weights, plug-ins, command
    python3 install.py demo         the same, then blur the sample portrait into demo-output/
    python3 install.py test         the same, then run every check of the project
    python3 install.py doctor       say what is installed, what is broken and how to mend it
    python3 install.py service      start the daemon with the session (systemd, launchd, Windows)
    python3 install.py uninstall    remove all of it again
    python3 install.py --with train,hub     also what training and optional models need

Every step looks first whether it is already done: a run that was cut off goes on where it stopped.
pip is used as configured on this machine (indexes, proxies, offline folders).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from daemon.runtime import standard_streams
from daemon.setup import checks, command_link, doctor, lock, machine, packages, service
from daemon.setup import environment as environments
from daemon.setup.children import alone, interrupted_by_signals
from daemon.setup.environment import Environment, Record
from daemon.setup.outside import Outside
from daemon.setup.places import ROOT, Places, pasted
from daemon.setup.problems import SetupProblem
from daemon.setup.removal import Removal
from daemon.setup.steps import Steps

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Bootstrap:
    """One run of `install.py`.

    Parameters
    ----------
    steps
        Announces, or only pretends.
    extras
        Optional sets of packages that were asked for.
    build
        "cpu", "any" or None: what torch was asked for.
    locked
        Whether the versions of the lock files are used.
    environment, places
        Where everything goes.
    """

    steps: Steps
    extras: tuple[str, ...] = ()
    build: str | None = None
    locked: bool = True
    environment: Environment = field(default_factory=Environment)
    places: Places = field(default_factory=Places)

    @property
    def outside(self) -> Outside:
        """What goes outside of this copy."""
        return Outside(self.places, self.environment)

    def install(self) -> int:
        """Install or update."""
        self.put_in_place()
        if not self.steps.dry:
            command = pasted(self.environment.command)
            self.steps.say(
                f"Ready. Command line: {command} photo.jpg   "
                "GIMP: Filters > Bokeh   Krita: Tools > Scripts > Bokeh"
            )
        return 0

    def put_in_place(self) -> None:
        """Do every step that is not done yet.

        Raises
        ------
        SetupProblem
            Something hinders; what is installed stays as it is.
        """
        machine.refuse_unfit()
        machine.refuse_sudo(ROOT, self.places.home)
        machine.refuse_others([ROOT, self.environment.folder, self.environment.next().folder])
        self.outside.check()
        with contextlib.nullcontext() if self.steps.dry else alone(ROOT):
            self._packages()
            self.steps.do(f"command {self.environment.command}", self._write_command)
            self.steps.do("weights check", self._check_weights)
            self.outside.install(self.steps)

    def _write_command(self) -> None:
        command_link.write_command(self.environment)

    def _packages(self) -> None:
        current = self.environment
        if not self.steps.dry:
            environments.settle(current)
        build, why = packages.choose_build(self.build, current)
        kept = set(current.record.extras).intersection(lock.extras())
        extras = sorted(kept.union(self.extras))
        wanted = lock.fingerprint(extras, build)
        note = current.record
        if note.complete and note.wanted == wanted and current.python.exists():
            self.steps.say("-- packages: already there")
            return
        maker = machine.venv_maker()
        packages.check_room(current, build)
        self.steps.say(f"   torch: {why}")
        if not note.complete:
            self.steps.say(f"   {packages.effort(current, build)}")
        for words in maker.before:
            self.steps.say(f"   as root, for the module venv: {' '.join(words)}")
        names = ", ".join(["the main ones", *extras])
        aim = Record(note.path, wanted, tuple(extras), build)
        self.steps.do(f"packages ({names}) into {current.folder}", self._build, aim, maker)

    def _build(self, aim: Record, maker: machine.VenvMaker) -> None:
        """Make the environment beside the current one, and swap once everything loads."""
        fresh = environments.begin(self.environment, aim, maker)
        try:
            packages.install(fresh, locked=self.locked)
        finally:
            environments.remove_tree(fresh.temporary)
        fault = packages.fault(fresh)
        if fault:
            log = fresh.log.read_bytes()
            environments.remove_tree(fresh.folder)
            kept = ROOT / "install.log"
            kept.write_bytes(log)
            raise SetupProblem(
                f"The installed packages do not load: {fault}",
                f"Run the same command again: it begins anew; see {kept}.",
            )
        replace(fresh.record, complete=True).write()
        environments.swap(self.environment)

    def _check_weights(self) -> None:
        """Check the weights against their recorded hashes; put damaged ones back from git."""
        verify = [str(self.environment.command), "models", "verify"]
        if subprocess.run(verify, capture_output=True, check=False).returncode == 0:
            return
        if (ROOT / ".git").exists() and shutil.which("git"):
            restore = ["git", "-C", str(ROOT), "checkout", "--", "bokeh_core/weights"]
            subprocess.run(restore, capture_output=True, check=False)
        done = subprocess.run(verify, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise SetupProblem(
                f"The weights are damaged: {' '.join(last)}", "Get a fresh copy of the project."
            )

    def demo(self) -> int:
        """Install, then blur the sample portrait."""
        self.put_in_place()
        self.steps.say("-- the sample portrait")
        return self.call(str(self.environment.command), "demo", "--out", str(ROOT / "demo-output"))

    def test(self) -> int:
        """Install what the checks need, then run them all."""
        replace(self, extras=(*self.extras, "dev")).put_in_place()
        return checks.run(self.environment, self.steps)

    def doctor(self, *, mend: bool = False) -> int:
        """Print what is installed; say how to mend what is broken, or do it."""
        findings = list(doctor.outside(self.places, self.environment))
        for line in (line for finding in findings for line in finding.lines()):
            self.steps.say(line)
        broken = [finding for finding in findings if not finding.good]
        if mend and doctor.needs_cure(broken):
            self.steps.say("-- mending")
            self._mend()
            return self.doctor()
        inside = 1
        if self.environment.command.exists() and not packages.fault(self.environment):
            inside = self.call(str(self.environment.command), "doctor", "--inside")
        if doctor.needs_cure(broken):
            self.steps.say(f"To mend: {doctor.to_mend()}")
        return int(bool(broken) or inside != 0)

    def _mend(self) -> None:
        note = self.environment.record
        if note.complete and packages.fault(self.environment) and not self.steps.dry:
            replace(note, complete=False, done=()).write()
        self.put_in_place()

    def service(self, *, remove: bool = False) -> int:
        """Have the daemon started with the session, or no more."""
        if remove:
            self.steps.do("end the service", self._end_service)
            return 0
        self.put_in_place()
        return self.call(str(self.environment.command), "daemon", "service", "install")

    def _end_service(self) -> None:
        removed = service.remove(service.service())
        self.steps.say(f"   {'removed' if removed else 'there was no service'}")

    def uninstall(self) -> int:
        """Remove everything that belongs to this copy."""
        removal = Removal(self.steps, self.places, self.environment)
        with contextlib.nullcontext() if self.steps.dry else alone(ROOT):
            removal.outside()
            removal.inside()
        removal.say_what_stays()
        return int(removal.failed)

    def call(self, *words: str) -> int:
        """Run a command of this copy in this terminal."""
        if self.steps.dry:
            self.steps.do(pasted(*words), print)
            return 0
        # threads that spin at barriers starve each other when several processes compute
        variables = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
        return subprocess.run(words, cwd=ROOT, env=variables, check=False).returncode


COMMANDS = {
    "install": "install or update: environment, weights, plug-ins, command",
    "demo": "install or update, then blur the sample portrait into demo-output/",
    "test": "install or update, then run every check of the project; some tests alone, "
    "afterwards: .venv/bin/python -I -m pytest FILE",
    "doctor": "say what is installed, what is broken and how to mend it",
    "service": "start the daemon with the session (systemd, launchd, Windows)",
    "uninstall": "remove all of it again",
}


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line; `COMMAND --help` tells what that command takes."""
    asked = {"-h", "--help"}.intersection(words)
    about = next((word for word in words if word in COMMANDS), None) if asked else None
    if about is not None:
        _of_one(about).parse_args(["--help"])
    parser = argparse.ArgumentParser(
        prog="install.py",
        description="Set defocus up.",
        epilog=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=COMMANDS, default="install", metavar="COMMAND")
    _add_common(parser)
    _add_packages(parser)
    _add_extras(parser)
    _add_mend(parser)
    _add_remove(parser)
    args = parser.parse_args(words)
    if args.extras and args.what != "install":
        parser.error("--with goes with the command install")
    if args.mend and args.what != "doctor":
        parser.error("--mend goes with the command doctor")
    if args.remove and args.what != "service":
        parser.error("--remove goes with the command service")
    return args


def _of_one(command: str) -> argparse.ArgumentParser:
    """Make the parser whose help is that of one command."""
    text = COMMANDS[command]
    parser = argparse.ArgumentParser(
        prog=f"install.py {command}", description=f"{text[0].upper()}{text[1:]}."
    )
    _add_common(parser)
    if command != "uninstall":
        _add_packages(parser)
    further = {"install": _add_extras, "doctor": _add_mend, "service": _add_remove}
    if command in further:
        further[command](parser)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")


def _add_extras(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--with", dest="extras", default="", metavar="EXTRAS", help="what else, as train,hub"
    )


def _add_mend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mend", action="store_true", help="doctor: mend what can be mended")


def _add_remove(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--remove", action="store_true", help="service: take it away again")


def _add_packages(parser: argparse.ArgumentParser) -> None:
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--cpu", dest="build", action="store_const", const="cpu", help="torch for the CPU only"
    )
    size.add_argument(
        "--cuda", dest="build", action="store_const", const="any", help="torch for NVIDIA cards"
    )
    parser.add_argument(
        "--unlocked",
        action="store_true",
        help="take the newest packages that fit instead of the tested ones in locks/",
    )


def chosen(text: str) -> tuple[str, ...]:
    """Split the words after `--with`.

    Raises
    ------
    SetupProblem
        There is no such set of packages.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    there = lock.extras()
    for name in names:
        if name not in there:
            raise SetupProblem(f"There is no extra {name!r}.", f"There are {', '.join(there)}.")
    return names


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; 0: done, 1: something hinders, 2: wrong use, 130: interrupted."""
    return standard_streams.to_a_reader(lambda: _main(words))


def _main(words: Sequence[str] | None) -> int:
    args = parse(sys.argv[1:] if words is None else words)
    interrupted_by_signals()
    try:
        run = Bootstrap(
            Steps(dry=args.dry_run),
            chosen(args.extras),
            args.build,
            locked=not args.unlocked,
            environment=Environment(),
            places=Places(),
        )
        if args.what == "doctor":
            return run.doctor(mend=args.mend)
        if args.what == "service":
            return run.service(remove=args.remove)
        commands = {
            "install": run.install,
            "demo": run.demo,
            "test": run.test,
            "uninstall": run.uninstall,
        }
        return commands[args.what]()
    except SetupProblem as problem:
        print(f"\n{problem}\n{problem.step}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted. The same command continues where it stopped.", file=sys.stderr)
        return 130
    except (OSError, subprocess.CalledProcessError, service.ServiceProblem) as error:
        if isinstance(error, BrokenPipeError) and standard_streams.reader_left():
            return 1
        print(f"\n{error}\nThe same command continues once that is mended.", file=sys.stderr)
    return 1
