"""An SMSC out of the package `smpp34`, on 127.0.0.1: it says what it read, and does what it is command, by lines of JSON.

It is a process of its own: the package now and then ends a Python process with an error when the interpreter stops.
"""

import asyncio
import json
import os
import socket
import sys

import smpp34


def emit(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class Program:
    """The server, and the ESME that was bound last."""

    def __init__(self) -> None:
        self.esme: smpp34.Esme | None = None
        self.rejecting: list[int] = []
        self.accepted = 0

    async def serve(self, server: smpp34.Server) -> None:
        while True:
            match await server.next():
                case smpp34.Esme() as esme:
                    self.esme = esme
                    emit(event="bind", system_id=esme.system_id, known=True)
                case smpp34.SubmitSmEvent() as submit:
                    self.take(submit)
                case _:
                    emit(event="unbind")

    def take(self, submit: smpp34.SubmitSmEvent) -> None:
        status = self.rejecting.pop(0) if self.rejecting else 0
        if status:
            submit.reject(status)
        else:
            self.accepted += 1
            submit.accept(f"n{self.accepted}")
        tlvs = {tlv.tag: tlv.value for tlv in submit.tlvs}
        emit(
            event="submit",
            hex=(submit.short_message or tlvs.get(0x0424, b"")).hex(),
            source=submit.source_addr,
            destination=submit.destination_addr,
            ton=[submit.source_addr_ton, submit.dest_addr_ton],
            coding=submit.data_coding,
            esm_class=submit.esm_class,
            report=submit.registered_delivery,
            tlvs={str(tag): value.hex() for tag, value in tlvs.items()},
        )

    async def obey(self, command: dict) -> None:
        if command["do"] == "reject":
            self.rejecting.append(command["status"])
        else:
            text = bytes.fromhex(command["hex"])
            tlvs = [smpp34.Tlv(int(tag), bytes.fromhex(value)) for tag, value in command.get("tlvs", {}).items()]
            answer = await self.esme.deliver_sm(
                "333", text, source_addr=command["source"], tlvs=tlvs, **command["fields"]
            )
            emit(event="answer", command="deliver_sm_resp", status=answer.command_status)


async def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    server, program = smpp34.Server("127.0.0.1", port, system_id="SMSC"), Program()
    await server.start()
    emit(event="listening", port=port)
    serving = asyncio.create_task(program.serve(server))
    obeying = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        obeying.add(asyncio.create_task(program.obey(json.loads(line))))
        await asyncio.sleep(0)
        emit(event="told")
    serving.cancel()


if __name__ == "__main__":
    asyncio.run(main())
    os._exit(0)
