"""`defocus daemon keys`: who may use this daemon from another machine, and whom this one trusts."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", title="actions")
    actions.add_parser("show", help="print the public keys of this machine's daemon and client")
    actions.add_parser("list", help="print who is allowed")
    allow = actions.add_parser("allow", help="let a client in")
    allow.add_argument("name", help="what to call it")
    allow.add_argument("key", help="the client key as `show` printed it over there, in quotes")
    allow.add_argument(
        "--admin", action="store_true", help="let it also stop the daemon and see what others do"
    )
    revoke = actions.add_parser("revoke", help="let a client in no more")
    revoke.add_argument("name")
    trust = actions.add_parser("trust", help="use a daemon on another machine")
    trust.add_argument("address", metavar="HOST:PORT")
    trust.add_argument("key", help="the daemon key as `show` printed it over there, in quotes")


def run(args: argparse.Namespace) -> int:
    """Do the action."""
    from daemon.wire import curve_auth  # noqa: PLC0415

    try:
        return _run(args)
    except curve_auth.KeyProblem as problem:
        print(f"defocus: {problem}", file=sys.stderr)
        return 1


def _run(args: argparse.Namespace) -> int:
    from daemon.wire import curve_auth  # noqa: PLC0415

    if args.action == "show":
        for role in ("daemon", "client"):  # quoted: most keys hold what a shell takes for its own
            print(f"{role}  {shlex.quote(curve_auth.key_pair(role).public)}")
    elif args.action == "list":
        for name, known in curve_auth.allowed().items():
            print(f"{known.key}  {'admin ' if known.admin else 'render'}  {name}")
    elif args.action == "allow":
        curve_auth.allow(args.name, args.key, admin=args.admin)
        print(f"{args.name} may connect to a daemon started with --listen HOST:PORT")
    elif args.action == "trust":
        curve_auth.trust(args.address, args.key)
        print(f"set DEFOCUS_REMOTE={args.address} to use it")
    elif not curve_auth.revoke(args.name):
        print(f"defocus: {args.name} was not on the list", file=sys.stderr)
        return 1
    return 0
