"""The AWS CLI's own code, imported once: a deployment makes some fifteen calls, and importing takes most of each.

`python warm_aws.py SOCKET` serves; each connection brings a command's arguments, environment and open files, and is
answered with its exit status by a forked child. The child ends when its client does.
"""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

import awscli.clidriver  # type: ignore[import-untyped]  # the AWS CLI has no types

# What `aws` is on the tests' PATH. It starts in a fraction of the time that importing the CLI takes.
CLIENT = """#!{python} -SEs
import array, json, os, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect({address!r})
message = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
files = array.array("i", [0, 1, 2])
connection.sendmsg([len(message).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
connection.sendall(message)
sys.exit(int(connection.recv(4) or 70))
"""


def serve(address: str) -> None:
    """Serve forever."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # Reading its data files takes longer than a call, so it is done here once. The driver looks into the environment
    # only when it runs a command.
    driver = awscli.clidriver.create_clidriver()
    loader = driver.session.get_component("data_loader")
    for data in ("cli", "endpoints", "partitions", "_retry", "sdk-default-configuration"):
        loader.load_data(data)
    for service in ("lambda", "ecr", "sts"):
        loader.load_service_model(service, "service-2")
    for kind in ("waiters-2", "paginators-1"):
        loader.load_service_model("lambda", kind)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(16)
        while True:
            connection, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _run(connection, driver)
            connection.close()


def _run(connection: socket.socket, driver: Any) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    files = array.array("i")
    header, ancillary, _, _ = connection.recvmsg(4, socket.CMSG_LEN(3 * files.itemsize))
    files.frombytes(ancillary[0][2])
    length = int.from_bytes(header, "big")
    message = b""
    while len(message) < length:
        message += connection.recv(length - len(message))
    arguments, environment, directory = json.loads(message)
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    threading.Thread(target=lambda: (connection.recv(1), os._exit(70)), daemon=True).start()
    status = 255
    try:
        status = driver.main(arguments)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    except Exception:  # noqa: BLE001  # told, as the CLI would
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(str(status).encode())
        os._exit(0)


def install(directory: Path, address: str) -> None:
    """Write the client that speaks to a server at this address as DIRECTORY/aws."""
    client = directory / "aws"
    client.write_text(CLIENT.format(python=sys.executable, address=address), encoding="utf-8")
    client.chmod(0o755)


if __name__ == "__main__":
    serve(sys.argv[1])
