"""The worker class of gunicorn: all workers share the admin server's socket too, and drain before they end."""

import signal
from types import FrameType
from typing import Any, ClassVar, Final

from aiohttp import GunicornUVLoopWebWorker, web

from core.http.fast_router import DRAIN
from core.periodic import PeriodicJob, run_periodically

NOTIFY_INTERVAL: Final = 1.0  # seconds; gunicorn kills a worker that does not notify it for `timeout`


class GatewayWorker(GunicornUVLoopWebWorker):
    """A worker that gives `server.worker` the socket of the admin server, where gunicorn binds one.

    The master may send SIGTERM several times, and so does systemd beside it: only a second SIGINT ends a worker at once.
    """

    admin_address: ClassVar[tuple[str, int] | None] = None
    """The last address of `bind`, set by gunicorn.conf.py; with other addresses there is no admin server."""

    sockets: list[Any]
    wsgi: Any
    _runner: web.AppRunner | None = None

    def run(self) -> None:
        """Serve until the process is told to stop.

        uvloop closes the file descriptor of a plain socket once. With gunicorn's wrapper it closes it twice, and gunicorn
        logs an error of the second time.
        """
        self.sockets = [wrapper.sock for wrapper in self.sockets]
        admin = None
        if len(self.sockets) > 1 and self.cfg.address[-1] == self.admin_address:
            *self.sockets, admin = self.sockets
        self._keep_runner(admin)
        super().run()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain and end."""
        super().handle_exit(sig, frame)
        self._notify_waiter_done()

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """Drain and end; without accepting any more where somebody waits in a terminal."""
        if sig == signal.SIGINT:
            if self._runner is not None:
                self._runner.app[DRAIN].cut_short()
            self.loop.remove_signal_handler(sig)
            signal.signal(sig, signal.SIG_DFL)
        super().handle_quit(sig, frame)

    async def _run(self) -> None:
        """Serve; while the worker drains it is alive, and tells the master so for as long as that may take."""
        async with run_periodically(NOTIFY_INTERVAL, PeriodicJob(self._notify, "worker_not_notified")):
            await super()._run()

    async def _notify(self) -> None:
        if not self.alive:
            self._notifications_left -= 1
        if self._notifications_left > 0:
            self.notify()

    def _keep_runner(self, admin_listener: Any) -> None:
        """Let `server.worker` build the runner with the listener of the admin server, if any."""
        build_runner = self.wsgi
        self._notifications_left = self.cfg.graceful_timeout

        async def build() -> web.AppRunner:
            runner: web.AppRunner = await build_runner(admin_listener)
            self._runner = runner
            return runner

        self.wsgi = build
