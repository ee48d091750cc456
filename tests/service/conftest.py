"""A bound, permitted service over a fake engine, served for real on a loopback port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from serving import NAME, FakeEngine, Live, add_model, listening, opener, permit_for

from touyan.service.app import make_app
from touyan.service.settings import Settings
from touyan.store.home import Store


@pytest.fixture
def make_live(sqlite_store: Store, tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """`make_live(*engines, settings=, demo=, permitted=)` serves a model that has a release permit."""
    with ExitStack() as stack:

        def make(*engines: FakeEngine, settings: Settings | None = None, demo: bool = False, permitted: bool = True) -> Live:
            store, me = sqlite_store, sqlite_store.me()
            model = add_model(store, tmp_path)
            if permitted:
                permit_for(store, model, demo=demo)
            store.services.bind(me, NAME, [model])
            _, secret = store.api_keys.create(me, label="test", terms="terms-1")
            app = make_app(store, me, NAME, demo, settings, opener(*(engines or (FakeEngine(),))))
            url = stack.enter_context(listening(app))
            live = Live(store, app, url, secret, model)
            stack.enter_context(live.clients)
            return live

        yield make
