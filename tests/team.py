"""Team mode on a real socket: two projects, people of every role, jobs and models that not everybody sees."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from sqlalchemy import text

from blindspots.api.app import create_app
from blindspots.commands.serving import listen
from blindspots.experiments import KINDS
from blindspots.experiments.attack import Attack
from blindspots.experiments.train import Train
from blindspots.store import projects, users
from blindspots.work import machine, passwords
from blindspots.work.actor import SYSTEM
from workbench import Workbench

PASSWORD = "correct horse battery staple"
CANARY = "canary-of-main"

# Name -> role by project. `root` administers the service; `nil` is in no project.
PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "root": {},
    "pam": {"main": "admin"},
    "mia": {"main": "member"},
    "max": {"main": "member"},
    "vic": {"main": "viewer"},
    "eve": {"other": "admin"},
    "nil": {},
}


@dataclass(frozen=True)
class Things:
    """What a project holds."""

    training: str
    job: str
    model: str
    invite: str


class Team:
    """A server of team mode, and clients of everybody."""

    def __init__(self, url: str, folder: Path, **settings: Any) -> None:
        self.bench = Workbench(url, folder, kinds=KINDS, team=True, **settings)
        self.service = self.bench.service
        self._opened: list[httpx2.Client] = []
        self._make_people()
        self.main = self._make_things("main", "mia", CANARY)
        self.other = self._make_things("other", "eve", "of the others")
        self._servers: list[tuple[uvicorn.Server, threading.Thread]] = []
        self.url = self.serve()
        self.clients = {name: self.client(self.session(name)) for name in PEOPLE}

    def serve(self, **settings: Any) -> str:
        """Start a server with these settings; answers its address."""
        listener = listen("127.0.0.1", 0)
        app = create_app(self.bench.settings.model_copy(update=settings), self.service)
        config = uvicorn.Config(app, log_config=None, lifespan="on", ws="none", proxy_headers=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        self._servers.append((server, thread))
        while not server.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def _make_people(self) -> None:
        stored = passwords.hashed(PASSWORD)
        with self.bench.database.write() as tx:
            ids = {"main": projects.find(tx, "main").id, "other": projects.add(tx, "other", "The others")}
            for name, roles in PEOPLE.items():
                admin = name == "root"
                user_id = users.add(tx, name, name.title(), password=stored, service_admin=admin)
                for project, role in roles.items():
                    projects.set_role(tx, ids[project], user_id, role)
        self.projects = ids

    def as_in(self, project: str) -> Any:
        """The service, acting for the program in that project."""
        return self.service.acting(replace(SYSTEM, project_id=self.projects[project]))

    def _make_things(self, project: str, owner: str, name: str) -> Things:
        machine.prepare_torch(1)
        service = self.as_in(project)
        training = Train.model_validate(
            {"dataset": "digits", "network": {"name": "softmax"}, "model_name": name,
             "title": f"train {name}", "optimiser": {"name": "lbfgs", "max_iterations": 5},
             "seed": len(name)}
        )  # fmt: skip
        trained = service.submit(training, owner=owner)["id"]
        runner, _ = self.bench.worker()
        runner.run()
        model = service.job(trained)["summary"]["model_id"]
        images = {"source": "dataset", "dataset": "digits", "selection": "first", "count": 4}
        spec = Attack.model_validate({"model": model, "images": images, "title": f"attack {name}"})
        job = service.submit(spec, owner=owner)["id"]
        runner.run()
        assert service.job(job)["state"] == "succeeded"
        return Things(trained, job, model, service.invite(project, "viewer")["id"])

    def session(self, name: str, password: str = PASSWORD) -> dict[str, str]:
        """The headers of a browser of theirs."""
        answer = httpx2.post(
            f"{self.url}/api/v1/session", json={"name": name, "password": password}, timeout=20
        )
        assert answer.status_code == 204, answer.text
        return {"Cookie": answer.headers["set-cookie"].split(";")[0], "Origin": self.url}

    def client(self, headers: Mapping[str, str]) -> httpx2.Client:
        """Somebody with these headers."""
        made = httpx2.Client(base_url=self.url, headers=dict(headers), timeout=20, verify=False)
        self._opened.append(made)
        return made

    def token(self, name: str, scope: str = "admin", project: str | None = None) -> dict[str, Any]:
        """A token of theirs, as its making answers it."""
        body = {"name": f"for {name}", "scope": scope, "project": project}
        answer = self.clients[name].post("/api/v1/tokens", json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def bearer(self, name: str, scope: str = "admin", project: str | None = None) -> httpx2.Client:
        """A program with a token of theirs."""
        return self.client({"Authorization": f"Bearer {self.token(name, scope, project)['token']}"})

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Straight at the database."""
        with self.bench.database.write() as tx:
            found = tx.execute(text(statement), values)
            return list(found.all()) if found.returns_rows else []

    def close(self) -> None:
        """End everything."""
        for client in self._opened:
            client.close()
        for server, thread in self._servers:
            server.should_exit = True
            thread.join(10)
        self.bench.close()
