"""Blindspots from Python: submit jobs, wait for them, and get results as numpy arrays and Plotly figures.

from blindspots.client import Client

client = Client()  # finds the installation of this machine and its token by itself
job = client.submit({"kind": "attack", "model": "digits-softmax", ...}).wait()
job.results()["rms"].mean()
job.figure("security_curve").show()
"""

import io
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import httpx2
import numpy as np
import numpy.typing as npt
from plotly.graph_objects import Figure

from blindspots import errors
from blindspots.api.schemas import Estimate, Job, JobDetail, StoredArchive, StoredImage, StoredWeights
from blindspots.experiments.base import Spec
from blindspots.settings import Settings
from blindspots.submitted import SubmittedJob

Array = npt.NDArray[Any]
UPLOAD_SECONDS = 600.0
FINAL = frozenset({"succeeded", "failed", "cancelled"})
MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
ERRORS = {
    each.status: each
    for each in (
        errors.MalformedRequest,
        errors.Unauthenticated,
        errors.Forbidden,
        errors.NotFound,
        errors.Conflict,
        errors.TooLarge,
        errors.UnsupportedMedia,
        errors.InvalidInput,
        errors.RateLimited,
        errors.Unavailable,
    )
}


class JobFailed(errors.BlindspotsError):
    """A job that was waited for failed or was cancelled."""

    code = "job_failed"

    def __init__(self, job: Job) -> None:
        reason = job.error.message if job.error else f"it was {job.state}"
        super().__init__(f"Job {job.id} did not succeed: {reason}")
        self.job = job


def _from_folder(folder: Path, name: str) -> str | None:
    try:
        return (folder / name).read_text(encoding="ascii").strip()
    except OSError:
        return None


class Client:
    """One installation.

    Args:
        url: its address; by default BLINDSPOTS_URL, or what the local installation noted in its data folder.
        token: its token; by default BLINDSPOTS_TOKEN, or the local installation's.
        project: the one that lists and new jobs mean; by default BLINDSPOTS_PROJECT, or the service's
            choice.
        data_dir: folder of the local installation, where it is not the usual one.
        timeout: seconds to wait for one answer.

    Every method raises a `blindspots.errors.BlindspotsError` whose message says what to do.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        project: str | None = None,
        data_dir: Path | None = None,
        timeout: float = 60.0,
    ) -> None:
        settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
        written = _from_folder(settings.data_dir, "address")
        self.url = url or os.environ.get("BLINDSPOTS_URL") or written or f"http://127.0.0.1:{settings.port}"
        token = token or os.environ.get("BLINDSPOTS_TOKEN") or _from_folder(settings.data_dir, "token")
        if not token:
            raise errors.Unauthenticated(
                f"No token is found in {settings.data_dir}; start an installation with `blindspots up`, "
                "or set BLINDSPOTS_TOKEN."
            )
        headers = {"Authorization": f"Bearer {token}"}
        if project := project or os.environ.get("BLINDSPOTS_PROJECT"):
            headers["Blindspots-Project"] = project
        self._http = httpx2.Client(base_url=self.url, headers=headers, timeout=timeout)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """One call of the REST interface below `/api/v1`. Raises the error that the answer describes."""
        try:
            response = self._http.request(method, "/api/v1" + path, **options)
        except httpx2.TransportError as error:
            raise errors.Unavailable(
                f"Nothing answers at {self.url} ({type(error).__name__}); start it with: blindspots up"
            ) from error
        if response.is_error:
            raise self._error(response)
        return response

    @staticmethod
    def _error(response: httpx2.Response) -> errors.BlindspotsError:
        try:
            problem = response.json()
        except ValueError:
            problem = {}
        message = problem.get("detail") or f"The server answered {response.status_code}."
        kind = ERRORS.get(response.status_code, errors.BlindspotsError)
        return kind(message, field=problem.get("field"))

    def submit(
        self,
        spec: Spec | Mapping[str, Any],
        *,
        lane: Literal["batch", "interactive"] = "batch",
        fresh: bool = False,
        idempotency_key: str | None = None,
    ) -> SubmittedJob:
        """Submit a job. A connection that breaks is tried again without submitting twice."""
        document = spec.model_dump(mode="json") if isinstance(spec, Spec) else dict(spec)
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        options: dict[str, Any] = {
            "json": document,
            "headers": headers,
            "params": {"lane": lane, "fresh": str(fresh).lower()},
        }
        try:
            response = self.request("POST", "/jobs", **options)
        except errors.Unavailable:
            time.sleep(0.5)
            response = self.request("POST", "/jobs", **options)
        return SubmittedJob.of(self, Job.model_validate(response.json()))

    def estimate(self, spec: Spec | Mapping[str, Any]) -> Estimate:
        """What a job would cost."""
        document = spec.model_dump(mode="json") if isinstance(spec, Spec) else dict(spec)
        return Estimate.model_validate(self.request("POST", "/jobs/estimate", json=document).json())

    def job(self, job_id: str) -> JobDetail:
        """One job with everything about it."""
        return JobDetail.model_validate(self.request("GET", f"/jobs/{job_id}").json())

    def jobs(self, *, limit: int | None = None, **filters: str) -> Iterator[Job]:
        """Jobs, newest first. Filters: kind, state, search, owner, model, dataset, lane, sort."""
        parameters: dict[str, str | int] = {**filters, "limit": min(limit or 200, 200)}
        seen = 0
        while True:
            page = self.request("GET", "/jobs", params=parameters).json()
            for item in page["items"]:
                yield Job.model_validate(item)
                seen += 1
                if seen == limit:
                    return
            if page["next_cursor"] is None:
                return
            parameters["cursor"] = page["next_cursor"]

    def wait(
        self,
        job_id: str,
        *,
        timeout: float | None = None,
        progress: Callable[[JobDetail], None] | None = None,
    ) -> JobDetail:
        """Wait for the job to end. Raises JobFailed unless it succeeded, TimeoutError after `timeout` s.

        `progress` is called with every state that is seen.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = 0.1
        while True:
            job = self.job(job_id)
            if progress is not None:
                progress(job)
            if job.state == "succeeded":
                return job
            if job.state in FINAL:
                raise JobFailed(job)
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"Job {job_id} is still {job.state} after {timeout} s.")
            time.sleep(pause)
            pause = min(pause * 1.3, 1.0)

    def cancel(self, job_id: str) -> JobDetail:
        """Cancel a job; it stops within ten seconds."""
        return JobDetail.model_validate(self.request("POST", f"/jobs/{job_id}/cancel").json())

    def delete(self, job_id: str) -> None:
        """Delete a finished job."""
        self.request("DELETE", f"/jobs/{job_id}")

    def rerun(self, job_id: str, changes: Mapping[str, Any] | None = None) -> SubmittedJob:
        """Submit the job again, with the same or changed parameters."""
        response = self.request("POST", f"/jobs/{job_id}/rerun", json={"changes": dict(changes or {})})
        return SubmittedJob.of(self, Job.model_validate(response.json()))

    def results(self, job_id: str) -> dict[str, Array]:
        """Everything that the job found, as numpy arrays by name."""
        body = self.request("GET", f"/jobs/{job_id}/export/npz").content
        with np.load(io.BytesIO(body), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    def export(self, job_id: str, form: Literal["csv", "json", "npz", "html"], path: Path) -> int:
        """Save the numbers (csv, json), all arrays (npz) or the report (html); returns the size in bytes."""
        body = self.request("GET", f"/jobs/{job_id}/export/{form}").content
        path.write_bytes(body)
        return len(body)

    def figure(self, job_id: str, name: str, *, theme: Literal["light", "dark"] = "light") -> Figure:
        """One figure of a finished job; `job(id).figures` lists the names."""
        answer = self.request("GET", f"/jobs/{job_id}/figures/{name}", params={"theme": theme}).json()
        return Figure(answer["figure"])

    def upload(
        self, image: Path | bytes, *, media_type: str | None = None, model: str | None = None
    ) -> StoredImage:
        """Store a PNG, JPEG or WebP image, brought to the model's input size where one is named."""
        body = image if isinstance(image, bytes) else image.read_bytes()
        known = MEDIA_TYPES.get(image.suffix.lower()) if isinstance(image, Path) else None
        headers = {"Content-Type": media_type or known or "image/png"}
        parameters = {} if model is None else {"model": model}
        response = self.request("POST", "/images", content=body, headers=headers, params=parameters)
        return StoredImage.model_validate(response.json())

    def upload_archive(self, archive: Path) -> StoredArchive:
        """Store a zip archive of pictures for a job of kind `image_set`; it is kept for a day."""
        patience = 120 + archive.stat().st_size / 1e6  # seconds: it is looked into before the answer comes
        with archive.open("rb") as stream:
            response = self.request(
                "POST",
                "/archives",
                content=stream,
                headers={"Content-Type": "application/zip"},
                timeout=patience,
            )
        return StoredArchive.model_validate(response.json())

    def image_roots(self) -> list[dict[str, str]]:
        """Folders of the server from which pictures may be taken: `folder` as a job names it, and `path`."""
        return list(self.request("GET", "/image-roots").json()["items"])

    def delete_dataset(self, name: str) -> None:
        """Delete an image set that no job refers to."""
        self.request("DELETE", f"/datasets/{name}")

    def upload_weights(self, file: Path | bytes) -> StoredWeights:
        """Store a safetensors or ONNX file; a job of the kind `import_model` makes a model of it."""
        body = file if isinstance(file, bytes) else file.read_bytes()
        headers = {"Content-Type": "application/octet-stream"}
        response = self.request("POST", "/weights", content=body, headers=headers, timeout=UPLOAD_SECONDS)
        return StoredWeights.model_validate(response.json())

    def models(self) -> list[dict[str, Any]]:
        """All trained networks."""
        return list(self.request("GET", "/models").json()["items"])

    def datasets(self) -> list[dict[str, Any]]:
        """All data sets, here or to be downloaded."""
        return list(self.request("GET", "/datasets").json()["items"])

    def system(self) -> dict[str, Any]:
        """Versions, places, workers and queue."""
        return dict(self.request("GET", "/system").json())

    def sign_in_link(self) -> str:
        """A link that signs a browser in once."""
        return str(self.request("POST", "/session/link").json()["url"])
