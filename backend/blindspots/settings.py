"""One frozen object holds every setting; each is a BLINDSPOTS_* environment variable, and documented here."""

from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things are and how much is allowed. Built once, in `__main__`, and passed down."""

    model_config = SettingsConfigDict(
        env_prefix="BLINDSPOTS_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    data_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("blindspots")))
    """Folder of everything the embedded mode keeps: database, artifacts, messages, secret. Created with
    mode 0700."""

    database_url: str = ""
    """SQLAlchemy URL. Empty: SQLite in the data folder."""

    broker_url: SecretStr = SecretStr("")
    """Celery broker URL. Empty: messages as files in the data folder, no server needed."""

    artifacts_dir: Path | None = None
    """Folder of results. Empty: `artifacts` in the data folder."""

    datasets_dir: Path | None = None
    """Folder in which data sets are looked for beside the downloaded ones, for instance MNIST's four IDX
    files in `mnist/`."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback is refused until people sign in (`team`) and an admin has
    chosen a password."""

    port: int = Field(8313, ge=0, le=65535)
    """Port to listen on; 0 picks a free one."""

    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    """Host headers that are answered; a defence against DNS rebinding."""

    team: bool = False
    """People sign in with their own names and passwords, and have roles in projects. Otherwise there is one
    local user."""

    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""

    demo: bool = True
    """Train the demo networks on the bundled digits at first start."""

    lease_seconds: float = Field(60.0, gt=0)
    """How long a worker may stay silent before its part is taken back."""

    heartbeat_seconds: float = Field(15.0, gt=0)
    """How often a worker says that it is alive."""

    reconcile_seconds: float = Field(10.0, gt=0)
    """How often forgotten parts are published again and expired leases taken back."""

    max_attempts: int = Field(3, ge=1)
    """Worker losses that one part may suffer before its job fails."""

    threads: int = Field(0, ge=0, le=1024)
    """CPU threads of one worker. 0: OMP_NUM_THREADS where that is set, else all cores but one for batch jobs,
    and half of them, at most 4, for interactive ones."""

    requests_per_minute: int = Field(6000, ge=0)
    """Requests of one person or token, by minute and server process; beyond it, 429 with Retry-After. 0: no
    limit."""

    max_body_bytes: int = Field(1 << 20, ge=1024)
    """Largest JSON body of a request."""

    max_image_bytes: int = Field(10 << 20, ge=1024)
    """Largest uploaded image file."""

    max_image_pixels: int = Field(16_000_000, ge=1)
    """Largest uploaded image, width times height."""

    max_archive_bytes: int = Field(8 << 30, ge=1024)
    """Largest uploaded zip archive of images."""

    image_roots: tuple[Path, ...] = ()
    """Absolute paths of folders, as a JSON list, below which users may make image sets from what lies there.
    Workers need the same. Empty: images come as uploads only."""

    max_weights_bytes: int = Field(512 << 20, ge=1024)
    """Largest uploaded file of weights, safetensors or ONNX."""

    log_format: str = Field("console", pattern="^(console|json)$")
    """`console` for people, `json` for machines."""

    @field_validator("image_roots")
    @classmethod
    def _absolute(cls, roots: tuple[Path, ...]) -> tuple[Path, ...]:
        if wrong := [str(root) for root in roots if not root.is_absolute()]:
            raise ValueError(f"{', '.join(wrong)} is not an absolute path")
        return roots

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'blindspots.sqlite'}"

    @property
    def artifacts(self) -> Path:
        """The folder of results in force."""
        return self.artifacts_dir or self.data_dir / "artifacts"

    @property
    def downloads(self) -> Path:
        """Where downloaded data sets are kept."""
        return self.data_dir / "datasets"

    @property
    def embedded(self) -> bool:
        """Whether this installation runs without any server beside it."""
        return not self.broker_url.get_secret_value()
