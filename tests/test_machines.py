"""The README's commands on other machines; 20 minutes and 6 GB each: in the nightly round only."""

import os

import pytest

from tests import machines
from tests.rootfs import UnavailableError


@pytest.mark.slow
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("suite", ["bookworm", "trixie", "forky"])
def test_the_readmes_commands(suite):
    if not os.environ.get("DEFOCUS_NIGHTLY"):
        pytest.skip("DEFOCUS_NIGHTLY is not set")
    try:
        row = machines.try_out(suite, whole=False)
    except UnavailableError as reason:
        pytest.skip(f"no such machine here: {reason}")
    assert row.passed, row
