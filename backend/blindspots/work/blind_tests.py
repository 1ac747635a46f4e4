"""Blind tests: a viewer looks at rows without knowing whose they are, and the team's answers are kept."""

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, exc

from blindspots.errors import Conflict, InvalidInput, NotFound
from blindspots.experiments import blind_test
from blindspots.experiments.blind_test import Answered
from blindspots.experiments.units import Units
from blindspots.store import blind_tests, history
from blindspots.work.foundation import Json
from blindspots.work.pictures import encode_png
from blindspots.work.uploads import Uploads

MOST_TESTS = 1000  # of one job


class BlindTests(Uploads):
    """From the first row to what the team's answers say."""

    def begin_blind_test(self, job_id: str, *, viewer: str, arms: tuple[str, str], count: int) -> Json:
        """Draw an order that only the server knows. The job's rows are the same for every viewer."""
        outcome = self._units(job_id)
        rows = blind_test.chosen_rows(outcome, arms, count)
        secrets.SystemRandom().shuffle(rows)
        with self.database.write() as tx:
            self.actor.require(self._found(tx, job_id).project_id, "member", blind_tests.missing())
            if len(blind_tests.of_job(tx, job_id)) >= MOST_TESTS:
                raise Conflict(f"This job has had {MOST_TESTS} blind tests, the most that are kept.")
            test_id = blind_tests.begin(
                tx,
                job_id=job_id,
                owner=self.actor.name,
                viewer=viewer or self.actor.name,
                arms=arms,
                order=rows,
            )
        return self.blind_test(test_id)

    def blind_test(self, test_id: str) -> Json:
        """Where the viewer stands: the next row without its arm; at the end, what every row was."""
        with self.database.read() as tx:
            test = self._mine(tx, test_id)
            given = blind_tests.answers(tx, [test_id])
        total, done = len(test.row_order), len(given)
        view: Json = {
            "id": test.id, "job_id": test.job_id, "viewer": test.viewer, "arms": test.arms, "total": total,
            "answered": done, "finished": done == total, "next": None, "rows": [],
        }  # fmt: skip
        if done < total:
            images = len(self.outcome(test.job_id).result.array("image_index")[0])
            return view | {"next": {"position": done, "images": images}}
        names = ("position", "job_row", "arm", "shares", "concept", "guess", "seconds")
        return view | {"rows": [{name: getattr(row, name) for name in names} for row in given]}

    def blind_test_image(self, test_id: str, position: int, place: int) -> bytes:
        """PNG of one image of a row that the viewer has reached."""
        with self.database.read() as tx:
            test = self._mine(tx, test_id)
            reached = len(blind_tests.answers(tx, [test_id]))
        if position > min(reached, len(test.row_order) - 1):
            raise NotFound("That row has not been reached.")
        outcome = self._units(test.job_id)
        images = blind_test.images_of(outcome, test.row_order[position])
        if place >= len(images):
            raise NotFound(f"A row has {len(images)} images.")
        spec = outcome.spec
        assert isinstance(spec, Units)
        pixels, _ = self._pixels_of(spec)
        return encode_png(pixels[images[place]])

    def _pixels_of(self, spec: Units) -> tuple[Any, Any]:
        dataset, split = getattr(spec.images, "dataset", None), getattr(spec.images, "split", None)
        if dataset is None or split is None:
            raise NotFound("The images of this job are not of a data set.")
        return self._split(dataset, split)

    def answer_blind_test(self, test_id: str, position: int, given: Mapping[str, Any]) -> Json:
        """Enter the answer to the next row. Conflict for another row, or one that is answered."""
        with self.database.read() as tx:
            test = self._mine(tx, test_id)
            done = len(blind_tests.answers(tx, [test_id]))
        if position >= len(test.row_order):
            raise NotFound(f"This test has the rows 0 to {len(test.row_order) - 1}.")
        if position != done:
            raise Conflict(f"Row {done} is next; rows are answered once, in their order.")
        if given["guess"] not in test.arms:
            raise InvalidInput(f"Guess one of {', '.join(test.arms)}.", field="guess")
        row = test.row_order[position]
        arm = blind_test.arm_of(self._units(test.job_id), row)
        try:
            with self.database.write() as tx:
                blind_tests.answer(tx, test_id, position, job_row=row, arm=arm, **given)
        except exc.IntegrityError as error:
            raise Conflict("This row was answered a moment ago.") from error
        return self.blind_test(test_id)

    def blind_test_results(self, job_id: str) -> Json:
        """Who took part, and what the answers say, for every pair of arms that was tried."""
        outcome = self._units(job_id)
        with self.database.read() as tx:
            tests = blind_tests.of_job(tx, job_id)
            given = blind_tests.answers(tx, [test.id for test in tests])
        by_id = {test.id: test for test in tests}
        pairs: dict[tuple[str, str], list[Answered]] = {}
        for test in tests:
            first, second = sorted(test.arms)
            pairs.setdefault((first, second), [])
        for row in given:
            test = by_id[row.test_id]
            first, second = sorted(test.arms)
            viewer = f"{test.owner}/{test.viewer}"
            pairs[first, second].append(
                Answered(viewer, row.job_row, row.arm, row.shares, row.concept, row.guess)
            )
        return {
            "tests": [self._test_line(test) for test in tests],
            "results": [
                blind_test.analysed(answers, arms, seed=outcome.spec.seed) for arms, answers in pairs.items()
            ],
        }

    def _test_line(self, test: Row[Any]) -> Json:
        line = {"id": test.id, "viewer": test.viewer, "owner": test.owner, "arms": test.arms}
        return line | {
            "answered": test.answered,
            "total": len(test.row_order),
            "created_at": history.stamp(test.created_at),
            "mine": test.owner == self.actor.name,
        }

    def _units(self, job_id: str) -> Any:
        """The finished units job. Raises NotFound, Conflict, InvalidInput for another kind."""
        row = self._row(job_id)
        if row.kind != "units":
            raise InvalidInput("A blind test is taken of a units job.", field="job_id")
        return self.outcome(job_id)

    def _mine(self, tx: Connection, test_id: str) -> Row[Any]:
        """A test that the actor began, of a job that they may see. Raises NotFound."""
        test = blind_tests.find(tx, test_id)
        self._found(tx, test.job_id)
        if test.owner != self.actor.name:
            raise blind_tests.missing()
        return test
