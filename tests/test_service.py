"""What the service promises to whoever submits a job and looks at its results."""

import csv
import io
import json
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from blindspots.errors import Conflict, InvalidInput, NotFound
from blindspots.experiments import KINDS
from blindspots.experiments.attack import Attack
from blindspots.experiments.examples import ExampleQuery
from blindspots.experiments.methods import GaussianNoise
from blindspots.experiments.train import Train
from blindspots.store.job_query import JobQuery
from blindspots.work import machine
from blindspots.work.pictures import encode_png
from stub_kind import Stub
from workbench import Workbench

NOWHERE = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def bench(database_url, tmp_path):
    made = Workbench(database_url, tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def local(tmp_path):
    made = Workbench("", tmp_path / "data")
    yield made
    made.close()


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    """A linear network trained on the digits, attacked: real kinds, run by a worker in this process."""
    bench = Workbench("", tmp_path_factory.mktemp("laboratory") / "data", kinds=KINDS)
    machine.prepare_torch(1)
    training = Train.model_validate(
        {"dataset": "digits", "network": {"name": "softmax"}, "optimiser": {"name": "lbfgs",
        "max_iterations": 60}, "model_name": "linear"}
    )  # fmt: skip
    bench.trained = bench.service.submit(training, owner="ada")["id"]
    runner, _ = bench.worker()
    runner.run()
    images = {"source": "dataset", "dataset": "digits", "selection": "random", "count": 40}
    spec = Attack.model_validate({"model": "linear", "images": images, "title": "forty digits"})
    bench.attacked = bench.service.submit(spec, owner="ada")["id"]
    runner.run()
    bench.runner = runner
    yield bench
    bench.close()
    torch.set_flush_denormal(False)  # Hypothesis, in the same process, insists on small numbers


class TestSubmitting:
    def test_the_answer_is_the_job_as_lists_show_it(self, bench):
        job = bench.service.submit(Stub(part_count=3, title="mine", seed=5), owner="ada")
        assert job == bench.service.jobs(JobQuery())["items"][0] | {"waiting_for": job["waiting_for"]}
        assert (job["state"], job["owner"], job["seed"], job["title"]) == ("queued", "ada", 5, "mine")
        assert job["progress"] == {"done": 0, "total": 6, "fraction": 0, "message": "", "eta_seconds": None}
        detail = bench.service.job(job["id"])
        assert detail["parts"]["total"] == 3
        assert detail["spec"]["part_count"] == 3
        assert detail["figures"] == detail["exports"] == []

    def test_the_same_key_answers_the_first_job(self, bench):
        first = bench.service.submit(Stub(), owner="ada", idempotency_key="k")
        assert bench.service.submit(Stub(), owner="ada", idempotency_key="k")["id"] == first["id"]
        assert bench.service.submit(Stub(), owner="grace", idempotency_key="k")["id"] != first["id"]
        for other in ({"spec": Stub(seed=1)}, {"spec": Stub(), "fresh": True}):
            with pytest.raises(InvalidInput) as caught:
                bench.service.submit(other.pop("spec"), owner="ada", idempotency_key="k", **other)
            assert caught.value.field == "Idempotency-Key"

    def test_twenty_at_once_with_one_key_make_one_job(self, bench):
        found, barrier = [], threading.Barrier(20)

        def send():
            barrier.wait()
            found.append(bench.service.submit(Stub(), owner="ada", idempotency_key="k")["id"])

        threads = [threading.Thread(target=send) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 20
        assert len(set(found)) == 1
        assert len(bench.service.jobs(JobQuery())["items"]) == 1

    def test_a_refused_job_leaves_nothing_behind(self, bench):
        for refused in (
            lambda: bench.service.submit(Stub(part_count=0), owner="ada"),
            lambda: bench.service.submit(Stub(part_count=100), owner="ada", lane="interactive"),
            lambda: bench.service.submit(Stub(device="cuda"), owner="ada"),
            lambda: bench.service.submit(Stub(raises="a\0b"), owner="ada"),
        ):
            with pytest.raises(InvalidInput):
                refused()
        assert bench.service.jobs(JobQuery())["items"] == []
        assert bench.service.latest_event() == 0

    def test_a_broker_that_is_away_refuses_no_job(self, local):
        def away(_lane, _part_id):
            raise ConnectionRefusedError

        local.publisher.send = away
        assert local.service.submit(Stub(), owner="ada")["state"] == "queued"

    def test_the_cost_is_known_before(self, bench):
        before = bench.service.estimate(Stub(part_count=3, part_seconds=0.1))
        assert (before["parts"], before["reused_parts"], before["seconds"]) == (3, 0, None)
        assert before["bytes_kept"] == 3 * 64
        assert "No worker" in before["waiting_for"]
        runner, _ = bench.worker()
        bench.service.submit(Stub(part_count=3, part_seconds=0.1), owner="ada")
        runner.run()
        again = bench.service.estimate(Stub(part_count=3, part_seconds=0.1))
        assert (again["reused_parts"], again["seconds"]) == (3, 0)
        other = bench.service.estimate(Stub(part_count=10, part_seconds=0.1, seed=1))
        assert other["seconds"] == pytest.approx(1.0, rel=0.8)
        assert bench.service.jobs(JobQuery())["items"][0]["kind"] == "stub"

    def test_a_job_is_run_again_with_changes(self, bench):
        first = bench.service.submit(Stub(part_count=2, title="first"), owner="ada")["id"]
        again = bench.service.rerun(first, {"seed": 9}, "grace")
        assert (again["seed"], again["owner"], again["title"]) == (9, "grace", "first")
        for changes, field in (({"seed": -1}, "changes.seed"), ({"nonsense": 1}, "changes.nonsense"),
                               ({"kind": "train"}, "changes.kind")):  # fmt: skip
            with pytest.raises(InvalidInput) as caught:
                bench.service.rerun(first, changes, "ada")
            assert caught.value.field == field

    def test_a_job_is_renamed_and_found_under_its_new_name(self, bench):
        job_id = bench.service.submit(Stub(title="old"), owner="ada")["id"]
        assert bench.service.rename(job_id, "Neuer Name")["title"] == "Neuer Name"
        assert bench.service.jobs(JobQuery(search="neuer"))["items"]
        assert not bench.service.jobs(JobQuery(search="old"))["items"]

    def test_what_does_not_exist_is_not_found(self, bench):
        for look in (
            bench.service.job, bench.service.parts, bench.service.cancel, bench.service.delete,
            bench.service.keep, bench.service.model, bench.service.delete_model, bench.service.image_png,
            bench.service.dataset, lambda name: bench.service.figure(name, "distortion", "light"), lambda
            name: bench.service.examples(name, ExampleQuery()), lambda name: bench.service.rename(name,
            "x"), lambda name: bench.service.rerun(name, {}, "ada"),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                look(NOWHERE)


class TestResults:
    def test_results_are_there_only_when_the_job_has_succeeded(self, local):
        job_id = local.service.submit(Stub(), owner="ada")["id"]
        with pytest.raises(Conflict):
            local.service.figure(job_id, "x", "light")
        with pytest.raises(Conflict):
            local.service.export(job_id, "csv")

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_every_figure_of_a_finished_job_is_drawn(self, laboratory, theme):
        for job_id in (laboratory.trained, laboratory.attacked):
            names = laboratory.service.job(job_id)["figures"]
            assert names
            for name in names:
                document = json.loads(laboratory.service.figure(job_id, name, theme))
                assert set(document) == {"figure", "title", "reading", "formula", "source"}
                assert document["figure"]["data"]
                assert laboratory.service.figure(job_id, name, theme) is laboratory.service.figure(
                    job_id, name, theme
                )
        with pytest.raises(NotFound, match="It has"):
            laboratory.service.figure(laboratory.attacked, "nonsense", theme)

    def test_the_gallery_shows_what_was_found(self, laboratory):
        page = laboratory.service.examples(laboratory.attacked, ExampleQuery(sort="distortion", limit=10))
        assert (page["total"], len(page["rows"])) == (40, 10)
        row = page["rows"][0]["index"]
        facts = laboratory.service.example(laboratory.attacked, row)["facts"]
        assert facts["index"] == row
        figure = json.loads(laboratory.service.example_figure(laboratory.attacked, row, "dark"))
        assert len(figure["data"]) == 3
        picture = laboratory.service.triptych(laboratory.attacked, row, "auto", 1)
        small, large = (Image.open(io.BytesIO(each)).size for each in
                        (picture, laboratory.service.triptych(laboratory.attacked, row, 4.0, 3)))  # fmt: skip
        assert small == (3 * 8 + 2, 8)
        assert large == (3 * small[0], 3 * small[1])
        with pytest.raises(NotFound):
            laboratory.service.example(laboratory.attacked, 40)
        panel = Image.open(io.BytesIO(laboratory.service.panel(laboratory.attacked, 3, 10.0, 2)))
        assert panel.size == (2 * (3 * 8 + 2), 2 * (3 * 8 + 2)), "three rows of three pictures"
        with pytest.raises(NotFound, match="changed as wanted"):
            laboratory.service.panel(laboratory.trained, 3, 10.0, 1)

    def test_exports_hold_every_image(self, laboratory):
        name, media_type, content = laboratory.service.export(laboratory.attacked, "csv")
        rows = list(csv.DictReader(io.StringIO(b"".join(content).decode())))
        assert (name[-4:], media_type, len(rows)) == (".csv", "text/csv; charset=utf-8", 40)
        document = json.loads(b"".join(laboratory.service.export(laboratory.attacked, "json")[2]))
        assert len(document["rows"]) == 40
        assert document["job"]["title"] == "forty digits"
        arrays = np.load(io.BytesIO(b"".join(laboratory.service.export(laboratory.attacked, "npz")[2])))
        assert len(arrays[arrays.files[0]]) == 40
        shown = [float(row["rms"]) for row in rows]
        assert shown == [row["rms"] for row in document["rows"]]

    def test_a_model_in_use_is_not_deleted(self, laboratory):
        assert laboratory.service.model("linear")["network"] == "softmax"
        assert laboratory.service.job(laboratory.trained)["summary"]["model_name"] == "linear"
        with pytest.raises(Conflict, match="refer"):
            laboratory.service.delete_model("linear")
        renamed = laboratory.service.rename_model("linear", "straight")
        assert laboratory.service.model(renamed["id"])["name"] == "straight"
        laboratory.service.rename_model("straight", "linear")
        with pytest.raises(InvalidInput):
            laboratory.service.rename_model("linear", "../x")

    def test_an_upload_is_attacked(self, laboratory):
        stored = laboratory.service.store_image(encode_png(np.full((1, 8, 8), 90, np.uint8)), "linear")
        spec = Attack.model_validate(
            {"model": "linear", "images": {"source": "upload", "image": stored["id"]},
             "method": GaussianNoise(sigma=0.1).model_dump()}
        )  # fmt: skip
        job_id = laboratory.service.submit(spec, owner="ada", lane="batch")["id"]
        laboratory.runner.run()
        assert laboratory.service.job(job_id)["state"] == "succeeded", laboratory.service.job(job_id)["error"]
        assert laboratory.service.examples(job_id, ExampleQuery())["total"] == 1


class TestInstallation:
    def test_the_catalog_holds_every_kind_with_its_schema(self, laboratory):
        catalog = laboratory.service.catalog()
        assert {kind["kind"] for kind in catalog["kinds"]} == set(KINDS)
        for kind in catalog["kinds"]:
            assert kind["heading"]
            assert kind["summary"]
            assert kind["schema"]["properties"]["kind"]["const"] == kind["kind"]
        assert {"softmax", "mlp"} <= {network["name"] for network in catalog["networks"]}
        assert "minimum_distortion" in {method["name"] for method in catalog["methods"]}

    def test_the_data_sets_are_browsed(self, laboratory):
        digits = laboratory.service.dataset("digits")
        assert (digits["shape"], digits["sizes"]["test"], digits["available"]) == ([1, 8, 8], 500, True)
        page = laboratory.service.dataset_images("digits", "test", 3, 0, 5)
        assert [item["label"] for item in page["items"]] == [3] * 5
        picture = laboratory.service.dataset_image("digits", "test", page["items"][0]["index"])
        assert Image.open(io.BytesIO(picture)).size == (8, 8)
        for look in (
            lambda: laboratory.service.dataset_image("digits", "test", 500),
            lambda: laboratory.service.dataset_images("digits", "validation", None, 0, 1),
            lambda: laboratory.service.dataset_images("nonsense", "test", None, 0, 1),
        ):
            with pytest.raises(NotFound):
                look()

    def test_the_state_of_the_installation_is_told(self, bench):
        bench.worker()
        system = bench.service.system()
        assert system["queue"] == {"waiting": 0, "running": 0}
        assert system["disk_free_bytes"] > 0
        assert [worker["alive"] for worker in system["workers"]] == [True]
