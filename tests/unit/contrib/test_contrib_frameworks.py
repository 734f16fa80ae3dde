"""Does a request have one actor in every framework, and do templates see flags?"""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from flagstaff import Client, request_actor
from flagstaff.contrib.asgi import FlagsMiddleware
from flagstaff.flags.gates import Gates


@pytest.fixture
def client():
    return Client.memory({"on": True, "off": False, "user": Gates(actors=frozenset({"User:1"}))})


def call_asgi(kind):
    seen = []

    async def app(scope, _receive, _send):
        seen.extend([request_actor(), request_actor()])
        await asyncio.sleep(0)
        seen.append(request_actor())
        seen.append(scope.get("state", {}).get("flagstaff_request_actor"))

    asyncio.run(FlagsMiddleware(app)({"type": kind}, None, None))
    return seen


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_an_asgi_request_has_one_actor(kind):
    first, second = call_asgi(kind), call_asgi(kind)
    assert len(set(first)) == 1
    assert set(first).isdisjoint(second)


def test_asgi_lifespan_is_no_request():
    assert len(set(call_asgi("lifespan"))) == 4


def test_asgi_requests_at_the_same_time_keep_apart():
    seen = {}

    async def app(scope, _receive, _send):
        before = request_actor()
        await asyncio.sleep(0.01)
        seen[scope["path"]] = (before, request_actor())

    async def main():
        wrapped = FlagsMiddleware(app)
        calls = (wrapped({"type": "http", "path": str(n)}, None, None) for n in range(5))
        await asyncio.gather(*calls)

    asyncio.run(main())
    assert all(before == after for before, after in seen.values())
    assert len({before for before, _ in seen.values()}) == 5


def test_flask(client):
    flask = pytest.importorskip("flask")
    from flagstaff.contrib.flask import Flags, current_flags  # noqa: PLC0415 - needs Flask

    app = flask.Flask("app")
    Flags(app, client=client, actors=lambda: [flask.request.args.get("user")])

    @app.get("/")
    def view():
        assert current_flags().client is client
        seen = {request_actor(), request_actor()}
        text = "{{ flag('on') }} {{ flag('off') }} {{ flag('user') }} {{ flag('user', 'User:1') }}"
        return f"{len(seen)} {seen.pop()} " + flask.render_template_string(text)

    with app.test_client() as browser:
        first = browser.get("/?user=User:1").text.split()
        second = browser.get("/?user=User:2").text.split()
    assert first[0] == second[0] == "1"
    assert first[1] != second[1]
    assert first[2:] == ["True", "False", "True", "True"]
    assert second[2:] == ["True", "False", "False", "True"]


@pytest.fixture
def django(client):
    django = pytest.importorskip("django")
    from django.conf import settings  # noqa: PLC0415 - needs Django

    if not settings.configured:
        settings.configure(
            ROOT_URLCONF=(),
            ALLOWED_HOSTS=["*"],
            TEMPLATES=[
                {
                    "BACKEND": "django.template.backends.django.DjangoTemplates",
                    "OPTIONS": {"context_processors": ["flagstaff.contrib.django.flags"]},
                }
            ],
        )
        django.setup()
    from django.test import override_settings  # noqa: PLC0415 - needs settings

    with override_settings(FLAGSTAFF_CLIENT=client):
        yield django


class User:
    is_authenticated = True

    class _meta:  # noqa: N801 - Django's name
        object_name = "User"

    def __init__(self, pk):
        self.pk = pk


def test_django_middleware_templates_and_views(django):
    del django
    from django.http import Http404, HttpResponse  # noqa: PLC0415 - needs settings
    from django.template import engines  # noqa: PLC0415 - needs settings
    from django.test import RequestFactory  # noqa: PLC0415 - needs settings

    from flagstaff.contrib.django import FlagsMiddleware, flag_required  # noqa: PLC0415 - same

    @flag_required("user")
    def view(request):
        seen = {request_actor(), request_actor()}
        template = engines["django"].from_string(
            "{% if flags.on %}yes{% endif %} {{ flags.off }} {{ flags.user }}"
        )
        return HttpResponse(f"{len(seen)} " + template.render({}, request))

    stack = FlagsMiddleware(view)
    request = RequestFactory().get("/")
    request.user = User(1)
    assert stack(request).content == b"1 yes False True"
    request.user = User(2)
    with pytest.raises(Http404):
        stack(request)
    del request.user
    with pytest.raises(Http404):
        stack(request)


def test_django_async(django):
    del django
    from asgiref.sync import iscoroutinefunction  # noqa: PLC0415 - comes with Django
    from django.http import HttpResponse  # noqa: PLC0415 - needs settings

    from flagstaff.contrib.django import FlagsMiddleware  # noqa: PLC0415 - same

    async def view(_request):
        before = request_actor()
        await asyncio.sleep(0)
        return HttpResponse(str(before == request_actor()))

    stack = FlagsMiddleware(view)
    assert iscoroutinefunction(stack)
    assert asyncio.run(stack(None)).content == b"True"


def test_django_settings_are_checked_and_unsaved_models_are_no_actors(django):
    del django
    from django.test import override_settings  # noqa: PLC0415 - needs settings

    from flagstaff.contrib import django as contrib  # noqa: PLC0415 - same
    from flagstaff.errors import UsageError  # noqa: PLC0415 - same

    assert contrib.actor(User(7)) == "User:7"
    with pytest.raises(UsageError, match="not saved"):
        contrib.actor(User(None))
    with override_settings(FLAGSTAFF_CLIENT=None), pytest.raises(UsageError, match="settings name"):
        contrib.client()


def test_a_share_of_requests_is_stable_inside_each(client):
    del client
    flags = Client.memory({"half": Decimal(50)})
    answers = []

    async def app(_scope, _receive, _send):
        answers.append({flags.is_enabled("half", request_actor()) for _ in range(20)})

    for _ in range(40):
        asyncio.run(FlagsMiddleware(app)({"type": "http"}, None, None))
    assert all(len(each) == 1 for each in answers)
    assert len(set(map(frozenset, answers))) == 2
