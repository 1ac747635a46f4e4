"""One stream of job events per browser tab, fed by one poller of the database per process."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from blindspots.api.replies import reply
from blindspots.api.schemas import EventPage
from blindspots.api.wiring import ServiceHere
from blindspots.errors import Unavailable
from blindspots.work.service import Service

POLL_SECONDS = 0.25
BATCH = 500
BACKLOG = 2000
LOOK_AGAIN_SECONDS = 1.0  # an open stream hears of what may be seen no more

Event = dict[str, Any]


class Feed:
    """Reads new events once, and hands them to every open stream.

    It reads only while somebody listens. A stream that cannot keep up is closed; the browser comes back
    with the id of the last event it saw, and misses nothing.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._listeners: set[asyncio.Queue[Event | None]] = set()
        self._poller: asyncio.Task[None] | None = None
        self._position = 0
        self.closing = False

    def close(self) -> None:
        """Ends every stream within one poll, so that the server can stop. Callable from a signal handler."""
        self.closing = True

    async def _read(self, after: int) -> list[Event]:
        return await anyio.to_thread.run_sync(self._service.events, after, BATCH)

    async def _poll(self) -> None:
        try:
            while self._listeners and not self.closing:
                try:
                    events = await self._read(self._position)
                except Unavailable:
                    events = []
                for event in events:
                    self._position = event["event_id"]
                    for queue in tuple(self._listeners):
                        self._offer(queue, event)
                if len(events) < BATCH:
                    await asyncio.sleep(POLL_SECONDS)
        finally:
            for queue in tuple(self._listeners):
                self._end(queue)
            self._poller = None

    def _offer(self, queue: "asyncio.Queue[Event | None]", event: Event) -> None:
        if queue.qsize() < BACKLOG:
            queue.put_nowait(event)
        else:
            self._end(queue)

    def _end(self, queue: "asyncio.Queue[Event | None]") -> None:
        self._listeners.discard(queue)
        queue.put_nowait(None)

    async def listen(self, after: int | None) -> AsyncIterator[Event]:
        """Events with an id above `after`, or only new ones."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            latest = await anyio.to_thread.run_sync(self._service.latest_event)
            position = latest if after is None else min(after, latest)
            if self._poller is None:
                self._position = latest
                self._poller = asyncio.create_task(self._poll())
            # The poller may be past `position` already: the gap is read here, and doubles are dropped below.
            while position < latest and (missed := await self._read(position)):
                for event in missed:
                    position = event["event_id"]
                    yield event
            while (event_or_end := await queue.get()) is not None:
                if event_or_end["event_id"] > position:
                    position = event_or_end["event_id"]
                    yield event_or_end
        finally:
            self._listeners.discard(queue)


router = APIRouter(prefix="/api/v1/events", tags=["events"])


@router.get("", response_class=EventSourceResponse)
async def stream(
    request: Request,
    service: ServiceHere,
    last_event_id: Annotated[int | None, Header(ge=0, lt=2**63)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Job states and progress as server-sent events. `Last-Event-ID` resumes where a connection broke."""
    yield ServerSentEvent(comment="open", retry=2000)
    feed: Feed = request.app.state.feed
    looked = time.monotonic()
    async for event in feed.listen(last_event_id):
        if time.monotonic() - looked > LOOK_AGAIN_SECONDS:
            looked = time.monotonic()
            actor = await request.app.state.doorkeeper.identify(request.scope)
            if actor is None:
                return  # signed out, or a token that was revoked
            service = service.acting(actor)
        if not service.sees_event(event):
            continue
        yield ServerSentEvent(event="job", id=str(event["event_id"]), data=event)


@router.get("/poll", response_model=EventPage)
def poll(service: ServiceHere, after: Annotated[int | None, Query(ge=0, lt=2**63)] = None) -> Response:
    """The same events for clients without a stream: those above `after`, and the id to ask for next."""
    return reply(service.events_page(after, BATCH))
