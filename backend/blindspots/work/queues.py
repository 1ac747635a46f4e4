"""Celery: one task, two queues.

It carries part ids to processes and restarts what dies; the database is the truth. So: early acknowledgement,
one message at a time, no results, no remote control, JSON only. A lost message is sent again by the
reconciler; a message that comes twice finds its part taken.
"""

from typing import Any

from celery import Celery

from blindspots.settings import Settings

TASK = "blindspots.run_part"
LANES = ("batch", "interactive")


def configuration(settings: Settings) -> dict[str, Any]:
    """What producers and workers share."""
    shared: dict[str, Any] = {
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": False,
        "task_create_missing_queues": True,
        "task_default_queue": "batch",
        "worker_prefetch_multiplier": 1,
        "worker_enable_remote_control": False,
        "worker_pool_start_method": "spawn",  # CUDA and psycopg do not survive a fork
        "worker_proc_alive_timeout": 120,
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "enable_utc": True,
    }
    return shared | (_files(settings) if settings.embedded else _redis(settings))


def _files(settings: Settings) -> dict[str, Any]:
    folder = settings.data_dir / "messages"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "broker_url": "filesystem://localhost",
        "broker_transport": "blindspots.work.transport:Transport",
        "broker_transport_options": {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(folder / "control"),
            "polling_interval": 0.1,
        },
    }


def _redis(settings: Settings) -> dict[str, Any]:
    return {
        "broker_url": settings.broker_url.get_secret_value(),
        "broker_transport_options": {
            "global_keyprefix": "blindspots:",
            "visibility_timeout": 3600,
            "socket_connect_timeout": 3,
            "socket_keepalive": True,
            "retry_on_timeout": False,
            # A submission does not wait for a broker that is away: the reconciler publishes later.
            "max_retries": 1,
            "interval_start": 0.05,
            "interval_max": 0.05,
        },
    }


class CeleryPublisher:
    """Implements `work.publishing.Publisher`. Makes its connection at the first message."""

    def __init__(self, settings: Settings) -> None:
        self._app = Celery("blindspots", set_as_current=False)
        self._app.conf.update(configuration(settings))

    def send(self, lane: str, part_id: str) -> None:
        """Put the id into the lane's queue. Raises where the broker does not answer within seconds."""
        self._app.send_task(TASK, args=[part_id], queue=lane, ignore_result=True, retry=False)

    def close(self) -> None:
        """Give the connections back."""
        self._app.close()
