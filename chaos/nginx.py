"""nginx in front of the gateways, where it is installed: it sends a request that one gateway fails to the other."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from tests.support.servers import free_port

CONFIGURATION: Final = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream gateways {{
        {servers}
        keepalive 32;
        keepalive_timeout 60s;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://gateways;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_connect_timeout 1s;
            proxy_read_timeout 9s;
            proxy_next_upstream error timeout http_502 http_503 non_idempotent;
            proxy_next_upstream_timeout 9s;
        }}
    }}
}}
"""


def find_nginx() -> str | None:
    """The path of nginx, or None."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


class Nginx:
    """An nginx of this run on a free loopback port.

    Raises:
        FileNotFoundError: nginx is not installed.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        program = find_nginx()
        if program is None:
            raise FileNotFoundError("nginx is not installed")
        self.port = free_port()
        self._program, self._ports = program, ports

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="ekdial-chaos-nginx-"))
        self._folder.chmod(0o755)  # its worker is another user
        servers = "\n        ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in self._ports)
        configuration = self._folder / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(folder=self._folder, servers=servers, port=self.port), encoding="utf-8"
        )
        self._process = subprocess.Popen([self._program, "-c", str(configuration)])  # noqa: S603 - found on the path
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)
