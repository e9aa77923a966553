"""The settings of the section `[server]`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from config.section import Section
from config.types import PublicUrl, Seconds, StrictFloat, StrictInt, TtlSeconds
from core.http.origins import is_loopback_host


def join_address(host: str, port: int) -> str:
    """Return host and port as in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class ServerSettings(Section):
    """The addresses of the gateway and its admin server, its log, its own folder, and the limits of connections."""

    host: str = "127.0.0.1"
    port: Annotated[StrictInt, Field(ge=0, le=65535)] = 8080
    admin_host: str = "127.0.0.1"
    admin_port: Annotated[StrictInt, Field(ge=0, le=65535)] = 8081
    public_url: PublicUrl = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    data_dir: Path = Path("var")
    header_deadline: Seconds = 10.0
    body_deadline: Seconds = 10.0
    send_deadline: Seconds = 60.0
    keep_alive: TtlSeconds = 75
    drain_seconds: Annotated[StrictFloat, Field(ge=0, le=60)] = 5.0
    max_connections: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 2000
    max_requests: Annotated[StrictInt, Field(ge=1, le=100_000)] = 100
    max_connections_per_address: Annotated[StrictInt, Field(ge=1, le=1_000_000)] = 200

    @property
    def is_loopback(self) -> bool:
        """True if only this machine can reach the gateway."""
        return is_loopback_host(self.host)

    @property
    def address(self) -> str:
        """Host and port as in a URL."""
        return join_address(self.host, self.port)

    @property
    def admin_address(self) -> str:
        """Host and port of the admin server as in a URL."""
        return join_address(self.admin_host, self.admin_port)

    @property
    def url(self) -> str:
        """The start of links to the gateway, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.address}"
