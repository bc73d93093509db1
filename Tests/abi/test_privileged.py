"""In a setuid or setgid program the environment is that of somebody else."""

import os
import pathlib
import shutil
import subprocess
from collections.abc import Callable

import pytest

SKIPPED = 77


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a program to another group")
def test_no_secrets_are_written_for_a_stranger_nor_files_read(
    compile_c: Callable[..., pathlib.Path], tmp_path: pathlib.Path
) -> None:
    """libcurl obeys SSLKEYLOGFILE even there, so no client is made while it is set."""
    program = tmp_path / "privileged"
    shutil.copy(compile_c("abi/privileged.c"), program)
    os.chown(program, -1, os.getgid() + 1)
    program.chmod(0o2755)
    log = tmp_path / "secrets"
    # Else the second client would fail, which is made without SSLKEYLOGFILE.
    profiles = {"QINIU_CONFIG_FILE": str(tmp_path / "none"), "QINIU_PROFILE": "none", "HOME": str(tmp_path)}
    result = subprocess.run(
        [program],
        env=os.environ | profiles | {"SSLKEYLOGFILE": str(log)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if result.returncode == SKIPPED:
        pytest.skip("the system raises no privileges here")
    assert result.returncode == 0, result
    assert "SSLKEYLOGFILE" in result.stdout and str(log) not in result.stdout, result
    assert not log.exists()
