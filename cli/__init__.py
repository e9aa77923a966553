"""The commands of `server.py`: one module for each command or group of commands."""
