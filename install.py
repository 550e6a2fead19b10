#!/usr/bin/env python3
"""Set defocus up, beside this file, with nothing but Python's standard library.

    python3 install.py              install or update: environment, weights, GIMP plug-in, launcher
    python3 install.py demo         the same, then blur the sample portrait into demo-output/
    python3 install.py test         the same, then run every check of the project
    python3 install.py doctor       say what is installed, what is broken and how to mend it
    python3 install.py service      start the daemon with the session (systemd, launchd, Windows)
    python3 install.py uninstall    remove all of it again
    python3 install.py --with train,hub     also what training and optional models need

Every step looks first whether it is already done, so a run that was cut off is simply repeated.
pip is used as configured on this machine (indexes, proxies, offline folders).
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

HOME = Path(__file__).resolve().parent
VENV = HOME / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
COMMAND = BIN / ("defocus.cmd" if os.name == "nt" else "defocus")
STAMP = VENV / "defocus-install.json"
BEGUN = VENV / "defocus-packages-begun"
"""There while packages are put in place. pip takes one that was cut off half-way for installed;
all anew costs a minute, since pip keeps what it has downloaded."""
LOG = VENV / "install.log"
PIP = ("-m", "pip", "--no-input", "--disable-pip-version-check")
"""Every pip that reaches an index: nobody would see it ask for a password, and wait."""
OLDEST = (3, 10)
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
NEEDED_GB = {"cpu": 2.5, "any": 8.0}
"""Free disk for the CPU build and for the package index's CUDA build (5.4 GB and the downloads)."""
IMPORTS = (
    "import torch, torchvision, cv2, PIL, tifffile, imagecodecs, safetensors, zmq, msgpack, msgspec"
    "; "
    "torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)"
)
"""Loads every compiled part; nms fails when torch and torchvision are of different builds."""


class Stop(Exception):
    """Something the user has to do; says what is wrong and the next step."""

    def __init__(self, wrong: str, step: str) -> None:
        super().__init__(wrong)
        self.step = step


# --- what is said and done


@contextmanager
def alone():  # noqa: ANN201 - only the standard library here, also for types
    """Let no other run work in this folder meanwhile.

    pip holds the lock too: where only its caller was killed, the next run waits for it.
    """
    if fcntl is None:
        yield
        return
    lock = os.open(HOME, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("   another run works here: waiting for its end", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        HELD.append(lock)
        yield
    finally:
        HELD.clear()
        os.close(lock)


HELD: list = []
"""The lock, if this run has it."""


class Steps:
    """Announces each step; does it unless this is a dry run."""

    def __init__(self, dry: bool) -> None:
        self.dry = dry

    def say(self, text: str) -> None:
        print(text, flush=True)

    def do(self, what: str, action, *args) -> None:  # noqa: ANN001, ANN002
        """Announce and run an action."""
        self.say(("would: " if self.dry else "-- ") + what)
        if not self.dry:
            action(*args)


def run_logged(command: list[str], what: str) -> None:
    """Run a long command: its main lines are shown, all of it goes to the log."""
    with LOG.open("a", encoding="utf-8") as log:
        log.write("\n$ {}\n".format(" ".join(command)))
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=HELD,
        )
        assert process.stdout is not None
        tail = []
        try:
            for line in process.stdout:
                log.write(line)
                log.flush()
                tail = [*tail[-39:], line.strip()]
                if re.match(r"\s*(Downloading|Using cached|Building|Installing)", line):
                    print("   " + line.strip()[:110], flush=True)
        finally:
            if process.poll() is None and sys.exc_info()[0] is not None:
                process.terminate()
            process.stdout.close()  # what it still says must not make it wait for a reader
            code = process.wait()
    if code:
        raise diagnosis("\n".join(tail), what)


def diagnosis(output: str, what: str) -> Stop:
    """Turn pip's last words into what is wrong and the next step."""
    again = "then run the same command again: what is already there is kept."
    if re.search(r"No space left|Errno 28|disk quota", output, re.IGNORECASE):
        return Stop(f"{what}: the disk is full.", f"Free {NEEDED_GB['any']:.0f} GB, {again}")
    if re.search(
        r"NewConnectionError|name resolution|timed out|Max retries|SSLError|Proxy", output
    ):
        return Stop(
            f"{what}: the package index cannot be reached.",
            f"Check the network (or pip's proxy and index settings), {again}",
        )
    if "No matching distribution" in output:
        return Stop(
            f"{what}: no fitting package for Python {platform.python_version()} on "
            f"{platform.system()} {platform.machine()}.",
            "Without network: fill pip's find-links folder; else use Python 3.10 to 3.14, 64 bit. "
            "An index that asks for a password has to find it in pip's settings.",
        )
    last = next((line for line in reversed(output.splitlines()) if "ERROR" in line), "it failed")
    return Stop(f"{what}: {last}", f"Look into {LOG}, {again}")


# --- environment


def check_machine(steps: Steps) -> None:
    if sys.version_info < OLDEST:
        raise Stop(
            f"Python {platform.python_version()} is too old.",
            "Install Python 3.10 or newer and run this file with it: python3.11 install.py",
        )
    if sys.maxsize < 2**32:
        raise Stop("This Python has 32 bits; torch needs 64.", "Install a 64-bit Python.")
    if not os.access(HOME, os.W_OK):
        raise Stop(f"{HOME} cannot be written.", "Copy the folder to a place of your own.")
    free = shutil.disk_usage(HOME).free / 1e9
    needed = NEEDED_GB["any"]
    if not is_installed([]) and free < needed:
        steps.say(f"   note: {free:.1f} GB free; torch's largest build needs up to {needed:.0f} GB")
        if free < NEEDED_GB["cpu"]:
            raise Stop(
                f"Only {free:.1f} GB are free in {HOME}.",
                f"Free {NEEDED_GB['cpu']} GB, or {needed:.0f} GB without PyTorch's own index.",
            )


def make_venv() -> None:
    """Make the environment; replace one that was left half made."""
    if works(PYTHON, "import pip"):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if works(Path(sys.executable), "import ensurepip"):
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    elif works(Path(sys.executable), "import virtualenv"):
        subprocess.run([sys.executable, "-m", "virtualenv", "-q", str(VENV)], check=True)
    elif shutil.which("apt-get") and os.geteuid() == 0:
        print("   this Python has no venv module: installing python3-venv", flush=True)
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", "python3-venv"], check=True)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    else:
        raise Stop(
            "This Python cannot make virtual environments.",
            "Debian, Ubuntu: sudo apt-get install python3-venv; then run the same command again.",
        )


def works(python: Path, code: str) -> bool:
    try:
        done = subprocess.run([str(python), "-c", code], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def extras_there() -> list[str]:
    """Read the names of pyproject.toml's lists of optional dependencies."""
    text = (HOME / "pyproject.toml").read_text(encoding="utf-8")
    section = text.split("[project.optional-dependencies]")[1].split("\n[")[0]
    return re.findall(r"^(\w+) = \[", section, re.MULTILINE)


def chosen(text: str) -> list[str]:
    """Split the words after `--with`."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    there = extras_there()
    for name in names:
        if name not in there:
            raise Stop(f"There is no extra {name!r}.", f"There are {', '.join(there)}.")
    return names


def requirements(extras: list[str]) -> list[str]:
    """Read the dependency lists of pyproject.toml (tomllib is not in Python 3.10)."""
    text = (HOME / "pyproject.toml").read_text(encoding="utf-8")
    found = []
    for name in ["dependencies", *extras]:
        block = re.search(rf"^{name} = \[(.*?)\]$", text, re.MULTILINE | re.DOTALL)
        if block is None:
            raise Stop(f"pyproject.toml has no list {name!r}.", "Get a fresh copy of the project.")
        found += re.findall(r'"([^"]+)"', block.group(1))
    return list(dict.fromkeys(found))


def fingerprint(extras: list[str]) -> str:
    return hashlib.sha256("\n".join(requirements(extras)).encode()).hexdigest()


def stamp() -> dict:
    """Read what an earlier run noted: `done`, fingerprints, and `extras`, their names."""
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def is_installed(extras: list[str]) -> bool:
    """Whether these requirements were installed completely by an earlier run."""
    whole = PYTHON.exists() and not BEGUN.exists()
    return whole and fingerprint(extras) in stamp().get("done", [])


def install_packages(extras: list[str], torch_args: list[str]) -> None:
    # byte code is made at the first import, of what is imported: compiling all takes a minute
    pip = [str(PYTHON), *PIP, "install", "--no-compile"]
    pair = [word for word in requirements([]) if word.startswith("torch")]
    BEGUN.touch()
    if torch_args:
        run_logged([*pip, *torch_args, *pair], "PyTorch, CPU build")
    # one call for all: the resolver then has to choose a torch that this torchvision was built for
    run_logged([*pip, *requirements(extras)], "Packages")
    if not works(PYTHON, IMPORTS) and not os.environ.get("PIP_NO_INDEX"):
        print("   torch and torchvision do not fit together: fetching both anew", flush=True)
        # a local folder of wheels is the usual cause of an odd pair: leave it out this once
        usual = os.environ.get("PIP_FIND_LINKS")
        with tempfile.TemporaryDirectory() as empty:
            os.environ["PIP_FIND_LINKS"] = empty
            run_logged([*pip, "--force-reinstall", "--no-deps", *pair], "PyTorch")
            run_logged([*pip, *requirements(extras)], "Packages")
        os.environ.pop("PIP_FIND_LINKS")
        if usual is not None:
            os.environ["PIP_FIND_LINKS"] = usual
    fault = first_fault()
    if fault:
        step = f"Run the same command again: it makes {VENV} anew; see {LOG}."
        raise Stop(f"The installed packages do not load: {fault}", step)
    done = [fingerprint([])] + ([fingerprint(extras)] if extras else [])
    STAMP.write_text(json.dumps({"done": done, "extras": extras}), encoding="utf-8")
    BEGUN.unlink()


def first_fault() -> str:
    """Give the last words of loading everything; empty when all is well."""
    done = subprocess.run([str(PYTHON), "-c", IMPORTS], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def choose_torch() -> tuple[list[str], str]:
    """Choose where torch comes from: pip arguments and the reason.

    The package index has CUDA builds for Linux x86-64 (5.4 GB installed, they run on a CPU too);
    PyTorch's own index has a CPU build of a tenth of that.
    """
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "AMD64"):
        return [], "the package index has the right build for this system"
    if has_nvidia():
        return [], "an NVIDIA GPU is here: CUDA build from the package index"
    if any(os.environ.get(name) for name in ("PIP_INDEX_URL", "PIP_NO_INDEX")) or pip_has_index():
        return [], "pip is configured with an index of its own: only that one is used"
    if not answers(CPU_WHEELS + "/torch/"):
        return (
            [],
            "PyTorch's CPU index does not answer: the larger CUDA build (it needs no GPU)",
        )
    return ["--index-url", CPU_WHEELS], "no NVIDIA GPU: PyTorch's CPU build, it saves 5 GB"


def has_nvidia() -> bool:
    return Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=4) as answer:  # noqa: S310 - a constant
            return bool(answer.read(1))
    except (OSError, ValueError):
        return False


def pip_has_index() -> bool:
    shown = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    return bool(re.search(r"\.(index-url|no-index)=", shown))


def link_package() -> None:
    """Make the packages importable and put the `defocus` command into the environment."""
    site = subprocess.run(
        [str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    Path(site, "defocus.pth").write_text(str(HOME) + "\n", encoding="utf-8")
    if sys.platform == "win32":
        COMMAND.write_text(f'@"{PYTHON}" -m daemon.cli.main %*\r\n', encoding="utf-8")
        return
    COMMAND.write_text(f'#!/bin/sh\nexec "{PYTHON}" -m daemon.cli.main "$@"\n', encoding="utf-8")
    COMMAND.chmod(0o755)


def path_link() -> Path | None:
    """Give ~/.local/bin/defocus where that folder is on PATH and nobody else has the name."""
    link = Path.home() / ".local" / "bin" / "defocus"
    on_path = str(link.parent) in os.environ.get("PATH", "").split(os.pathsep)
    if sys.platform == "win32" or not on_path or not link.parent.is_dir():
        return None
    ours = link.is_symlink() and link.readlink() == COMMAND
    free = not link.exists() and not link.is_symlink()
    return link if ours or free else None


def make_path_link(link: Path) -> None:
    if not link.is_symlink():
        link.symlink_to(COMMAND)


# --- GIMP


def gimp_roots() -> list[Path]:
    """List where the GIMPs of this user may keep their configuration, by system and package."""
    home = Path.home()
    if sys.platform == "win32":
        return [Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "GIMP"]
    if sys.platform == "darwin":
        return [home / "Library" / "Application Support" / "GIMP"]
    return [
        Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "GIMP",
        home / ".config" / "GIMP",  # Flatpak and AppImage read this one in any case
        home / ".var" / "app" / "org.gimp.GIMP" / "config" / "GIMP",
    ]


def gimp_folders() -> list[Path]:
    """Find the configuration folders of every GIMP 3 of this user, also one that never ran yet."""
    roots = gimp_roots()
    found = [folder for root in roots for folder in sorted(root.glob("3.*")) if folder.is_dir()]
    if os.environ.get("GIMP3_DIRECTORY"):
        found.append(Path(os.environ["GIMP3_DIRECTORY"]))
    versions = ("3.0", "3.2", "3.4")
    found += [roots[0] / version for version in versions if shutil.which(f"gimp-{version}")]
    return list(dict.fromkeys(found))


def no_gimp() -> str:
    """Say why no GIMP 3 was found, as far as one can see."""
    if any((root / "2.10").is_dir() for root in gimp_roots()):
        return "only GIMP 2.10 was found, and GIMP 3 is needed"
    if (Path.home() / "snap" / "gimp").is_dir():
        return "GIMP from Snap can use no plug-in of this kind: take Flathub's or the system's"
    return "no GIMP 3 was found: start it once, it then makes its folder"


def plugin_target(gimp: Path) -> Path:
    return gimp / "plug-ins" / "bokeh"


def plugin_sources() -> dict[str, Path]:
    """Map paths inside the plug-in folder to the files of this copy."""
    root = HOME / "gimp_plugin"
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {
        path.relative_to(root).as_posix(): path for path in files if "__pycache__" not in path.parts
    }


def launcher() -> str:
    command = [str(PYTHON), "-m", "daemon.cli.main", "daemon", "start"]
    return json.dumps({"command": command})


def make_vendor() -> Path:
    """Collect the plug-in's own libraries: pure-Python msgpack, and pyzmq for GIMP's Python.

    msgpack comes from the environment. pyzmq's stable-ABI wheel loads in any Python from 3.12 on,
    which every Linux package of GIMP 3 has; elsewhere the plug-in speaks ZeroMQ by itself.
    """
    vendor = VENV / "vendor"
    site = next(iter(VENV.glob("**/site-packages/msgpack")))
    if not (vendor / "msgpack").is_dir():
        shutil.copytree(
            site, vendor / "msgpack", ignore=shutil.ignore_patterns("_cmsgpack*", "*pyc")
        )
    machine = platform.machine()
    if (vendor / "zmq").is_dir() or not sys.platform.startswith("linux"):
        return vendor
    tags = [f"manylinux{tag}_{machine}" for tag in ("2014", "_2_26", "_2_28")]
    with tempfile.TemporaryDirectory() as folder:
        command = [str(PYTHON), *PIP, "download", "-q"]
        command += ["--retries", "1", "--timeout", "15"]
        command += ["--no-deps", "--only-binary=:all:", "--implementation", "cp", "--abi", "abi3"]
        command += ["--python-version", "3.12", "-d", folder, "pyzmq"]
        command += [word for tag in tags for word in ("--platform", tag)]
        done = subprocess.run(command, capture_output=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            print(
                "   note: no pyzmq for GIMP's Python; the plug-in uses its own client", flush=True
            )
            return vendor
        with zipfile.ZipFile(wheels[0]) as wheel:
            wheel.extractall(vendor)
    return vendor


def copy_plugin(gimp: Path) -> None:
    """Put the plug-in in place whole: built beside, then swapped for the old copy."""
    refuse_foreign(gimp)
    target = plugin_target(gimp)
    for stray in strays(gimp):
        remove(stray)
    fresh = target.with_name(".bokeh-new")
    shutil.rmtree(fresh, ignore_errors=True)
    for name, source in plugin_sources().items():
        place = fresh / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
    (fresh / "bokeh.py").chmod(0o755)
    (fresh / "launcher.json").write_text(launcher(), encoding="utf-8")
    shutil.copytree(make_vendor(), fresh / "vendor")
    if present(target):
        remove(target)
    fresh.rename(target)


def refuse_foreign(gimp: Path) -> None:
    """Stop where somebody else's plug-in has the name."""
    target = plugin_target(gimp)
    if is_foreign(target):
        raise Stop(
            f"{target} is not this plug-in.",
            "Move it out of GIMP's plug-ins folder or rename it, then run the same command again.",
        )


def strays(gimp: Path) -> list[Path]:
    """List what was left of this plug-in in places where GIMP 3 does not look for it."""
    plugins = gimp / "plug-ins"
    places = (plugins / "bokeh.py", plugins / "gimp_plugin", plugins / "bokeh" / "bokeh")
    return [place for place in places if is_ours(place)]


def is_ours(place: Path) -> bool:
    """Whether this is a version of the plug-in: its main file, or a folder with what is left."""
    files = [place / "bokeh.py", place / "launcher.json"] if place.is_dir() else [place]
    for file in files:
        with suppress(OSError):
            text = file.read_text(encoding="utf-8", errors="replace")
            if "gimp_plugin" in text or "daemon.cli.main" in text:
                return True
    return False


def is_foreign(place: Path) -> bool:
    """Whether somebody else's plug-in is there: ours may also lie one folder too deep."""
    if not present(place) or is_ours(place):
        return False
    return not place.is_dir() or not all(map(is_ours, place.iterdir()))


def note_missing(paths: list[Path]) -> None:
    """Note which folders around these are not there yet, for `uninstall` to take away again."""
    missing = [str(folder) for path in paths for folder in path.parents if not folder.exists()]
    noted = list(dict.fromkeys(noted_folders() + missing))
    place = config_folder() / "made-folders.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(noted), encoding="utf-8")


def noted_folders() -> list[str]:
    try:
        noted = json.loads((config_folder() / "made-folders.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [str(path) for path in noted]


def config_folder() -> Path:
    """Give the folder of defocus's own settings, as the daemon finds it."""
    return Path(os.environ.get("DEFOCUS_CONFIG_DIR") or usual_config_folder())


def usual_config_folder() -> Path:
    """Give that of a user who names none (platformdirs' rule)."""
    if sys.platform == "win32":
        return Path(os.environ["LOCALAPPDATA"]) / "defocus"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "defocus"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "defocus"


def announce(gimps: list[Path]) -> None:
    """Tell the daemon where to leave its address for the plug-ins (sandboxes see only those)."""
    config_folder().mkdir(parents=True, exist_ok=True)
    folders = [str(plugin_target(gimp)) for gimp in gimps]
    (config_folder() / "announce.json").write_text(json.dumps(folders), encoding="utf-8")


def plugin_faults(gimp: Path) -> list[str]:
    """Say why the menu entry could be missing in this GIMP."""
    target = plugin_target(gimp)
    wrong = [f"{place} is the wrong place for it" for place in strays(gimp)]
    if not target.is_dir():
        return wrong or ["not installed"]
    if is_foreign(target):
        return [f"{target} is not this plug-in"]
    faults = wrong
    for name, source in plugin_sources().items():
        place = target / name
        if not place.exists():
            faults.append(f"{name} is missing")
        elif place.read_bytes() != source.read_bytes():
            faults.append(f"{name} is another version")
    entry = target / "bokeh.py"
    if sys.platform != "win32" and entry.exists() and not entry.stat().st_mode & stat.S_IXUSR:
        faults.append("bokeh.py is not executable")
    if not (target / "vendor" / "msgpack").is_dir():
        faults.append("its msgpack library is missing")
    with suppress(OSError):
        if (target / "launcher.json").read_text(encoding="utf-8") != launcher():
            faults.append("it would start another copy of defocus")
    return faults


def looked_at(gimp: Path) -> bool:
    """Whether this GIMP looks into its own plug-ins folder: its preferences can leave it out."""
    try:
        text = (gimp / "gimprc").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    set_to = re.findall(r'^\s*\(plug-in-path\s+"([^"]*)"', text, re.MULTILINE)
    own = ("${gimp_dir}", str(gimp))
    return not set_to or any(word in set_to[-1] for word in own)


def gimp_has_python() -> bool:
    """Whether the system's GIMP can run Python plug-ins; other packages bring their own Python."""
    names = ("gimp", "gimp-3.0", "gimp-3.2")
    if sys.platform != "linux" or not any(map(shutil.which, names)):
        return True
    code = "import gi; gi.require_version('Gimp', '3.0')"
    return any(works(Path(name), code) for name in ("/usr/bin/python3", "/usr/local/bin/python3"))


# --- what can be asked for


def install(steps: Steps, extras: list[str]) -> None:
    with nullcontext() if steps.dry else alone():
        install_alone(steps, extras)


def install_alone(steps: Steps, asked: list[str]) -> None:
    kept = set(stamp().get("extras", [])).intersection(extras_there())
    extras = sorted(kept.union(asked))
    if BEGUN.exists():
        steps.do("remove the packages that were cut off", shutil.rmtree, VENV, True)
    check_machine(steps)
    gimps = gimp_folders()
    for gimp in gimps:
        refuse_foreign(gimp)
    if is_installed(extras):
        steps.say("-- packages: already there")
    else:
        steps.do(f"environment in {VENV}", make_venv)
        torch_args, why = choose_torch() if not is_installed([]) else ([], "already there")
        steps.say(f"   torch: {why}")
        names = ", ".join(["the main ones", *extras])
        steps.do(f"packages ({names}); some minutes", install_packages, extras, torch_args)
    steps.do(f"command {COMMAND}", link_package)
    link = path_link()
    if link is not None:
        steps.do(f"link {link}", make_path_link, link)
    steps.do("weights check", check_weights)
    places = [plugin_target(gimp) for gimp in gimps] + own_folders() + named_places()
    steps.do("note what is not there yet, for uninstall", note_missing, places)
    for gimp in gimps:
        steps.do(f"plug-in into {plugin_target(gimp)}", copy_plugin, gimp)
    if gimps:
        steps.do("tell the daemon where the plug-ins are", announce, gimps)
    else:
        steps.say(f"   {no_gimp()}; then run this again for the menu entry")


def check_weights() -> None:
    """Check the weights against their recorded hashes; put damaged ones back from git."""
    verify = [str(COMMAND), "models", "verify"]
    if subprocess.run(verify, capture_output=True, check=False).returncode == 0:
        return
    if (HOME / ".git").exists() and shutil.which("git"):
        restore = ["git", "-C", str(HOME), "checkout", "--", "bokeh_core/weights"]
        subprocess.run(restore, capture_output=True, check=False)
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Stop(f"The weights are damaged: {' '.join(last)}", "Get a fresh copy of the project.")


def demo(steps: Steps) -> int:
    install(steps, [])
    steps.say("-- the sample portrait")
    return call([str(COMMAND), "demo", "--out", str(HOME / "demo-output")], steps)


def test(steps: Steps) -> int:
    """Run every check; pytest comes last, so that its closing line is the last word."""
    install(steps, ["dev"])
    checks = (
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
    )
    with gimp_roots_in_the_making(steps):
        failed = [" ".join(w) for w in checks if call([str(BIN / w[0]), *w[1:]], steps)]
        for name in failed:
            steps.say(f"FAILED: {name}")
        code = call([str(PYTHON), "-m", "pytest"], steps)
    return code or int(bool(failed))


@contextmanager
def gimp_roots_in_the_making(steps: Steps):  # noqa: ANN201 - as `alone`
    """Build what the GIMP tests need beside the other checks: up to five minutes on a new machine.

    The tests wait for it, and say themselves why it cannot be had.
    """
    if steps.dry:
        yield
        return
    command = [str(PYTHON), "-m", "tests.gimp.rootfs", "trixie", "forky"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=HOME, stdin=quiet, stdout=quiet, stderr=quiet):
        yield


def call(command: list[str], steps: Steps) -> int:
    if steps.dry:
        steps.do(" ".join(command), print)
        return 0
    # threads that spin at barriers starve each other when several processes compute
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}
    return subprocess.run(command, cwd=HOME, env=environment, check=False).returncode


def doctor(steps: Steps, mend: bool) -> int:
    """Print what is installed; say how to mend what is broken, or do it."""
    broken = []
    good = sys.version_info >= OLDEST
    steps.say(f"{mark(good)} Python {platform.python_version()} ({sys.executable})")
    ready = is_installed([]) and works(PYTHON, IMPORTS)
    steps.say(f"{mark(ready)} environment {VENV}")
    if not ready:
        broken.append("environment")
    gimps = gimp_folders()
    steps.say(f"{mark(bool(gimps))} GIMP 3: {', '.join(map(str, gimps)) or no_gimp()}")
    for gimp in gimps:
        faults = plugin_faults(gimp)
        steps.say(f"{mark(not faults)} plug-in in {gimp}: {'; '.join(faults[:4]) or 'up to date'}")
        if faults:
            broken.append("plug-in")
        if not looked_at(gimp):
            broken.append("GIMP's folders")
            steps.say(f"{mark(False)} this GIMP does not look into {gimp / 'plug-ins'}")
            steps.say("       in GIMP: Edit > Preferences > Folders > Plug-ins, add that folder")
    if gimps and not gimp_has_python():
        broken.append("GIMP's Python")
        steps.say(f"{mark(False)} GIMP's Python: it cannot load GIMP's own bindings")
        steps.say("       Debian, Ubuntu: sudo apt-get install python3-gi gir1.2-gimp-3.0")
    if broken and mend and good:
        steps.say("-- mending")
        install(steps, [])
        return doctor(steps, mend=False)
    code = call([str(COMMAND), "doctor", "--inside"], steps) if ready else 1
    if broken:
        steps.say(f"To mend: python3 {HOME / 'install.py'} doctor --mend")
    return int(bool(broken) or code != 0)


def mark(good: bool, otherwise: str = "[miss]") -> str:
    return "[ok]  " if good else otherwise


def uninstall(steps: Steps) -> None:
    if COMMAND.exists():
        steps.do("end the service, if there is one", run_quietly, "daemon", "service", "remove")
        steps.do("stop the daemon", run_quietly, "daemon", "stop")
    link = path_link()
    targets = [plugin_target(gimp) for gimp in gimp_folders()]
    gone = [target for target in targets if not is_foreign(target)] + own_folders()
    gone += [file for place in named_places() for file in place.parent.glob(place.name)]
    gone += [VENV, HOME / "demo-output"] + ([link] if link is not None else [])
    caches = (".hypothesis", ".import_linter_cache", ".mypy_cache", ".pytest_cache", ".ruff_cache")
    gone += [HOME / name for name in caches]
    gone += [path for path in HOME.rglob("__pycache__") if VENV not in path.parents]
    made = {*map(Path, noted_folders()), *(place.parent for place in named_places())}
    made = sorted(made, key=lambda path: -len(path.parts))
    made.append(Path(tempfile.gettempdir()) / f"torchinductor_{getpass.getuser()}")  # torch's own
    for path in gone:
        if present(path):
            steps.do(f"remove {path}", remove, path)
    for path in made:
        if path.is_dir() and not any(path.iterdir()):
            steps.do(f"remove {path}", path.rmdir)
    for target in targets:
        if is_foreign(target):
            steps.say(f"   kept: {target} is not this plug-in")
    steps.say("   kept: what pip has downloaded (python3 -m pip cache purge removes it)")


def run_quietly(*words: str) -> None:
    subprocess.run([str(COMMAND), *words], capture_output=True, check=False)


NAMED = {
    "DEFOCUS_CONFIG_DIR": (
        "announce.json",
        "made-folders.json",
        *(f"keys/{name}.json" for name in ("allowed", "client", "daemon", "trusted")),
    ),
    "DEFOCUS_LOG_DIR": ("daemon.log", "daemon.log.[0-9]", "worker.log"),
    "DEFOCUS_RUNTIME_DIR": (
        "connection.json",
        "daemon.lock",
        *(f"{name}.sock" for name in ("control", "work", "worker-*")),
    ),
}
"""What is ours in the folders that a user may name: they can hold anything else."""


def named_places() -> list[Path]:
    """List what may lie in the folders that the user has named; the last part is a pattern."""
    named = [(Path(os.environ[name]), NAMED[name]) for name in NAMED if os.environ.get(name)]
    return [folder / pattern for folder, patterns in named for pattern in patterns]


def own_folders() -> list[Path]:
    """List where settings, logs, caches and the service lie unless the user names a folder.

    All of them bear the name (platformdirs' rule for each system).
    """
    home = Path.home()
    if sys.platform == "win32":
        local = Path(os.environ["LOCALAPPDATA"])
        return [local / "defocus", local / "Temp" / "defocus"]
    if sys.platform == "darwin":
        library = home / "Library"
        names = ("Caches/defocus", "Logs/defocus", "Caches/TemporaryItems/defocus")
        agent = library / "LaunchAgents" / "org.defocus.daemon.plist"
        return [usual_config_folder(), agent, *(library / name for name in names)]
    folders = [usual_config_folder(), home / ".config" / "systemd" / "user" / "defocus.service"]
    for variable, usual in (
        ("XDG_CACHE_HOME", ".cache"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_DATA_HOME", ".local/share"),
    ):
        folders.append(Path(os.environ.get(variable) or home / usual) / "defocus")
    user = os.getuid()
    run = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{user}")
    return [*folders, run / "defocus", Path(tempfile.gettempdir()) / f"runtime-{user}" / "defocus"]


def present(path: Path) -> bool:
    """Whether something has this name, be it a link to nothing."""
    return path.is_symlink() or path.exists()


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def service(steps: Steps, remove_it: bool) -> int:
    """Have the daemon started with the session; the command knows every system's way."""
    if not remove_it:
        install(steps, [])
    return call([str(COMMAND), "daemon", "service", "remove" if remove_it else "install"], steps)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Set defocus up.", epilog=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = ("install", "demo", "test", "doctor", "service", "uninstall")
    parser.add_argument("what", nargs="?", choices=commands, default="install", metavar="COMMAND")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    parser.add_argument(
        "--with",
        dest="extras",
        default="",
        metavar="EXTRAS",
        help="install: what else, as train,hub",
    )
    parser.add_argument("--mend", action="store_true", help="doctor: mend what can be mended")
    parser.add_argument("--remove", action="store_true", help="service: take it away again")
    args = parser.parse_args()
    if args.extras and args.what != "install":
        parser.error("--with goes with the command install")
    if args.mend and args.what != "doctor":
        parser.error("--mend goes with the command doctor")
    if args.remove and args.what != "service":
        parser.error("--remove goes with the command service")
    return args


def ready(steps: Steps, extras: list[str]) -> None:
    install(steps, extras)
    if not steps.dry:
        steps.say(f"Ready. Command line: {COMMAND} photo.jpg   GIMP: Filters > Bokeh")


def main() -> int:
    args = parse()
    steps = Steps(args.dry_run)
    commands = {
        "install": lambda: ready(steps, chosen(args.extras)),
        "demo": lambda: demo(steps),
        "test": lambda: test(steps),
        "doctor": lambda: doctor(steps, args.mend),
        "service": lambda: service(steps, args.remove),
        "uninstall": lambda: uninstall(steps),
    }
    try:
        return commands[args.what]() or 0
    except Stop as stop:
        print(f"\n{stop}\n{stop.step}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted. The same command continues where it stopped.", file=sys.stderr)
        return 130
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"\n{error}\nThe same command continues once that is mended.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
