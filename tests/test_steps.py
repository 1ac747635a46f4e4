"""Jobs that are made of jobs: submitted in order, failed with their reason, taken up where they stood."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from blindspots.errors import Conflict, InvalidInput
from blindspots.experiments import KINDS
from blindspots.experiments.base import Step
from blindspots.experiments.plan import Plan
from blindspots.experiments.steps import in_order, needs, references, with_models
from blindspots.store.job_query import JobQuery
from stub_kind import KINDS as STUBS
from workbench import Workbench

SOFTMAX = {
    "kind": "train",
    "dataset": "digits",
    "network": {"name": "softmax"},
    "optimiser": {"name": "lbfgs", "max_iterations": 20},
    "model_name": "small",
}
ATTACK = {
    "kind": "attack",
    "model": "@train",
    "images": {"source": "dataset", "dataset": "digits", "count": 8},
    "keep": "all",
}
TRANSFER = {
    "kind": "transfer",
    "sources": ["@train"],
    "evaluated": ["@train", "@other"],
    "images": ATTACK["images"],
}


@pytest.fixture
def bench(database_url: str, tmp_path: Any) -> Iterator[Workbench]:
    opened = Workbench(database_url, tmp_path / "data", kinds={**KINDS, **STUBS})
    yield opened
    opened.close()


def plan(*jobs: tuple[Any, ...]) -> Plan:
    """Each job: name, spec, and the names of what it needs."""
    given = [{"name": name, "spec": spec, "needs": list(needed)} for name, spec, *needed in jobs]
    return Plan.model_validate_json(json.dumps({"kind": "plan", "jobs": given}))


def stub(**fields: Any) -> dict[str, Any]:
    return {"kind": "stub", "part_count": 2, **fields}


def states(bench: Workbench, job_id: str) -> dict[str, str]:
    return {step["name"]: step["state"] for step in bench.service.job(job_id)["steps"]}


def test_a_name_stands_for_the_model_of_a_step() -> None:
    document: dict[str, Any] = {"sources": ["@a", "b"], "title": "@a", "deep": {"model": "@c d"}}
    assert list(references(document)) == ["a", "c d"]
    changed = with_models(document, {"a": "1", "c d": "2"})
    assert changed == {"sources": ["1", "b"], "title": "@a", "deep": {"model": "2"}}
    assert needs(Step("x", {"model": "@a"}, ("z", "a"))) == ("z", "a")


def test_steps_that_wait_for_each_other_are_named() -> None:
    steps = [Step("a", {}, ("b",)), Step("b", {}, ("c",)), Step("c", {}, ("b",)), Step("d", {})]
    with pytest.raises(InvalidInput, match="b needs c needs b") as refused:
        in_order(steps)
    assert refused.value.field == "steps[1].needs"


def test_train_attack_and_transfer_in_one_submission(bench: Workbench) -> None:
    other = {**SOFTMAX, "model_name": "other", "seed": 1}
    # Given in the wrong order on purpose.
    job = bench.service.submit(
        plan(("t", TRANSFER), ("train", SOFTMAX), ("other", other), ("attack", ATTACK, "t")), owner="ada"
    )
    assert job["state"] in ("queued", "running")
    shown = {step["name"]: step for step in bench.service.job(job["id"])["steps"]}
    assert shown["train"]["state"] == "queued"
    assert shown["t"]["state"] == "planned"
    assert sorted(shown["t"]["needs"]) == ["other", "train"]
    runner, _ = bench.worker()
    runner.run()
    done = bench.service.job(job["id"])
    assert done["state"] == "succeeded"
    assert done["progress"]["fraction"] == 1.0
    assert set(states(bench, job["id"]).values()) == {"succeeded"}
    transfer = bench.service.job(next(s["job_id"] for s in done["steps"] if s["name"] == "t"))
    assert transfer["parent"]["id"] == job["id"]
    assert [step["name"] for step in transfer["steps"]] == ["attack small"]
    rows = transfer["summary"]["rows"]
    assert next(row for row in rows if row["kind"] == "attack")["cells"][0]["error"] == 1.0
    # The transfer has attacked the model in the same way: the attack of the plan was found finished.
    attack = bench.service.job(next(s["job_id"] for s in done["steps"] if s["name"] == "attack"))
    assert attack["parts"]["reused"] == attack["parts"]["total"]


def test_steps_stay_out_of_the_history_and_are_listed_with_their_job(bench: Workbench) -> None:
    job = bench.service.submit(plan(("a", stub()), ("b", stub(seed=1), "a")), owner="ada")
    bench.worker()[0].run()
    listed = bench.service.jobs(JobQuery())["items"]
    assert [item["id"] for item in listed] == [job["id"]]
    below = bench.service.jobs(JobQuery(parent=job["id"], sort="created_at"))["items"]
    assert [item["parent"]["step"] for item in below] == ["a", "b"]
    with pytest.raises(Conflict, match="step “a”"):
        bench.service.delete(below[0]["id"])
    bench.service.delete(job["id"])
    assert bench.service.jobs(JobQuery(lane="batch"))["items"] == []


def test_a_failed_step_fails_its_job_with_the_reason_and_a_rerun_goes_on(bench: Workbench) -> None:
    given = plan(("good", stub()), ("bad", stub(raises="no such luck"), "good"), ("never", stub(), "bad"))
    job = bench.service.submit(given, owner="ada")
    bench.worker()[0].run()
    failed = bench.service.job(job["id"])
    assert failed["state"] == "failed"
    assert "The step “bad” failed: " in failed["error"]["message"]
    assert "no such luck" in failed["error"]["message"]
    assert states(bench, job["id"]) == {"good": "succeeded", "bad": "failed", "never": "planned"}
    mended = [{**each.model_dump(), "spec": {**each.spec, "raises": ""}} for each in given.jobs]
    again = bench.service.rerun(job["id"], {"jobs": mended}, "ada")
    bench.worker()[0].run()
    done = bench.service.job(again["id"])
    assert done["state"] == "succeeded"
    first = bench.service.job(done["steps"][0]["job_id"])
    assert first["parts"]["reused"] == first["parts"]["total"] == 2


def test_cancelling_a_job_cancels_its_steps(bench: Workbench) -> None:
    job = bench.service.submit(plan(("a", stub()), ("b", stub(seed=1)), ("c", stub(), "a")), owner="ada")
    assert bench.service.cancel(job["id"])["state"] == "cancelled"
    assert states(bench, job["id"]) == {"a": "cancelled", "b": "cancelled", "c": "planned"}
    assert bench.worker()[0].run() == 0


def test_cancelling_a_step_ends_its_job(bench: Workbench) -> None:
    job = bench.service.submit(plan(("a", stub()), ("b", stub(seed=1))), owner="ada")
    bench.service.cancel(bench.service.job(job["id"])["steps"][0]["job_id"])
    ended = bench.service.job(job["id"])
    assert ended["state"] == "failed"
    assert "“a” was cancelled" in ended["error"]["message"]
    assert states(bench, job["id"]) == {"a": "cancelled", "b": "cancelled"}


def test_the_reconciler_goes_on_where_nobody_told_the_end(bench: Workbench) -> None:
    job = bench.service.submit(plan(("a", stub()), ("b", stub(seed=1), "a")), owner="ada")
    deaf, _ = bench.worker()
    deaf._ended = lambda _: None  # killed between the end of a step and telling it
    deaf.run()
    assert states(bench, job["id"]) == {"a": "succeeded", "b": "planned"}
    for _ in range(3):
        bench.reconciler.step()
        deaf.run()
    assert bench.service.job(job["id"])["state"] == "succeeded"


def test_going_on_twice_changes_nothing(bench: Workbench) -> None:
    job = bench.service.submit(plan(("a", stub()), ("b", stub(seed=1), "a")), owner="ada")
    runner, _ = bench.worker()
    while bench.service.job(job["id"])["state"] not in ("succeeded", "failed"):
        for _ in range(2):
            bench.service.advance(job["id"])
            bench.service.advance_all()
        runner.run()
    assert len(bench.service.jobs(JobQuery(parent=job["id"]))["items"]) == 2
    assert bench.service.job(job["id"])["state"] == "succeeded"


@pytest.mark.parametrize(
    ("jobs", "field", "said"),
    [
        ([("a", stub(), "b"), ("b", stub(), "a")], "jobs[0].needs", "a needs b needs a"),
        ([("a", stub(), "a")], "jobs[0].needs", "a needs a"),
        ([("a", stub()), ("a", stub())], "jobs[1].name", "Two steps"),
        ([("a", stub(), "z")], "jobs[0].needs", "no step 'z'"),
        ([("a", {"kind": "nothing"})], "jobs[0].spec.kind", "no jobs of kind"),
        ([("a", {**ATTACK, "model": "@b"}), ("b", stub())], "jobs[0].spec.model", "trains no model"),
        ([("a", {**ATTACK, "model": "nobody"})], "jobs[0].spec.model", "no model"),
        (
            [("train", SOFTMAX), ("a", {**ATTACK, "images": {"source": "dataset", "count": 10**6}})],
            "jobs[1].spec.images.count",
            "holds",
        ),
        ([("a", {"kind": "stub", "part_count": -1})], "jobs[0].spec.part_count", "greater"),
    ],
)
def test_a_plan_that_cannot_work_is_refused_whole(
    bench: Workbench, jobs: list[Any], field: str, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        bench.service.submit(plan(*jobs), owner="ada")
    assert refused.value.field == field
    assert bench.service.jobs(JobQuery(lane="batch"))["items"] == []


def test_a_long_plan_does_not_go_past_others(bench: Workbench) -> None:
    with pytest.raises(InvalidInput, match="interactive lane") as refused:
        bench.service.submit(plan(("a", stub(part_count=20))), owner="ada", lane="interactive")
    assert refused.value.field == "lane"


def test_an_estimate_counts_the_steps(bench: Workbench) -> None:
    before = bench.service.estimate(plan(("train", SOFTMAX), ("attack", ATTACK)))
    assert before["steps"] == 2
    assert before["parts"] == 2
    bench.service.submit(plan(("train", SOFTMAX), ("attack", ATTACK)), owner="ada")
    bench.worker()[0].run()
    after = bench.service.estimate(plan(("train", SOFTMAX), ("attack", ATTACK)))
    assert after["seconds"] is not None


def test_the_end_of_a_dependency_is_told_with_its_reason(bench: Workbench) -> None:
    from stub_kind import Stub

    first = bench.service.submit(Stub(raises="the disk is on fire"), owner="ada")
    second = bench.service.submit(Stub(), owner="ada", depends_on=[first["id"]])
    bench.worker()[0].run()
    assert "the disk is on fire" in bench.service.job(second["id"])["error"]["message"]


def test_results_do_not_depend_on_how_the_steps_were_taken_up(bench: Workbench) -> None:
    """One worker that is interrupted after every part, against one that runs through."""
    given = plan(("a", stub(part_count=4)), ("b", stub(part_count=3, seed=2), "a"))
    job = bench.service.submit(given, owner="ada", fresh=True)
    bench.worker()[0].run()
    other = bench.service.submit(given, owner="ada", fresh=True)
    while bench.service.job(other["id"])["state"] != "succeeded":
        bench.worker()[0].run()
        bench.reconciler.step()

    def drawn(job_id: str) -> list[Any]:
        steps = bench.service.job(job_id)["steps"]
        return [bench.service.outcome(step["job_id"]).result.array("drawn") for step in steps]

    for one, two in zip(drawn(job["id"]), drawn(other["id"]), strict=True):
        assert np.array_equal(one, two)
