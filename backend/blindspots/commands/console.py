"""What every command shares: where it prints, and which installation it talks to."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from blindspots.client import Client

out = Console(highlight=False)
notes = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Target:
    """The installation that commands talk to; set once by the options before the command's name."""

    url: str | None = None
    data_dir: Path | None = None

    def client(self) -> Client:
        """Raises BlindspotsError when no token is found."""
        return Client(self.url, data_dir=self.data_dir)
