"""How is everything put together? Here, and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from flagstaff.definitions import Project, load_project
from flagstaff.engine.loop import Engine
from flagstaff.errors import FlagstaffError, Unavailable, UsageError
from flagstaff.integrations.forge.git import GitRepository
from flagstaff.integrations.production_check import ProductionCheck
from flagstaff.integrations.world import World
from flagstaff.server import folder
from flagstaff.server.access import Access, Gate
from flagstaff.server.api import build_api
from flagstaff.server.auth.cookies import SessionCookie
from flagstaff.server.auth.doorkeeper import Doorkeeper, visitor_of
from flagstaff.server.auth.known_browser import KnownBrowser
from flagstaff.server.auth.sign_on_settings import SignOnSettings, sign_on_settings
from flagstaff.server.auth.signing_in import SigningIn
from flagstaff.server.chat import Chat, build_chat
from flagstaff.server.compat import build_compat, build_flagd
from flagstaff.server.declaring import Declaring
from flagstaff.server.driving import chosen_driver
from flagstaff.server.failures import not_an_address, status_of
from flagstaff.server.forges import ForgeDesk, forge_routes
from flagstaff.server.front.front import Front
from flagstaff.server.front.guarding import Rules
from flagstaff.server.front.health import Draining, Health, Measured
from flagstaff.server.front.limits import Limits
from flagstaff.server.front.metrics import DATABASE_ERRORS, TICKS, Metrics
from flagstaff.server.front.ways import Way, Ways
from flagstaff.server.listening import Beside
from flagstaff.server.lock import FileLock
from flagstaff.server.outside import build_on_call, build_requests, build_teller
from flagstaff.server.remarks import remarks
from flagstaff.server.settings import EngineKind, Settings, check_reach
from flagstaff.server.streams.at_hand import AtHand
from flagstaff.server.streams.encoded import encoded_snapshot
from flagstaff.server.streams.hub import Hub
from flagstaff.server.streams.stream import Names, Snapshots
from flagstaff.server.watched import WatchedDefinitions
from flagstaff.services import looking, people, views
from flagstaff.services.kept_clock import kept_clock, speed_of
from flagstaff.services.lives.remembering import Remembering
from flagstaff.services.opening import Database, database_file, open_database
from flagstaff.services.person import ADMIN_EVERYWHERE, ENGINE, Person, Source
from flagstaff.services.replicas import Replicas
from flagstaff.services.services import Services
from flagstaff.services.telemetry import Telemetry
from flagstaff.services.unit import Context
from flagstaff.web.site import Site, error_page, fault_page, missing_page

LOOK_AT_FILES_EVERY = 1.0
"""Seconds; a page or a command looks by itself, this is for those who only listen."""

REMEMBER_EVERY = 60.0
"""Seconds between looks whether applications asked for flags in the last hour."""


@dataclass(slots=True)
class Address:
    """Where the server is reached; known once it listens."""

    url: str = ""

    def __call__(self) -> str:
        """Return the address."""
        return self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything that belongs to one running server.

    `remarks` is what whoever starts it should know.
    """

    settings: Settings
    services: Services
    asgi: ASGIApp
    hub: Hub
    replicas: Replicas
    engine: Engine | None
    flagd: Beside | None
    chat: Chat
    desk: ForgeDesk
    token: str
    address: Address
    draining: Draining
    remarks: tuple[str, ...]
    closing: contextlib.ExitStack = field(repr=False)

    def start(self) -> None:
        """Begin to hear of what other servers change, and to run rollouts."""
        self.replicas.start()
        self.closing.callback(self.replicas.close)
        if self.engine is not None:
            self.engine.start()
        self.chat.start()
        self.desk.start()

    def close(self) -> None:
        """End the streams, let the engine finish its step, and let go of the database."""
        self.hub.close()
        self.closing.close()


def build(settings: Settings) -> Application:
    """Put a server together; it runs nothing before `start`.

    Raises:
        FlagstaffError: a setting, `flagstaff.yml` or the database does not allow it.
    """
    if not settings.root.is_dir():
        raise UsageError(f"{settings.root} is not a folder", hint="name the project's folder")
    with contextlib.ExitStack() as closing:
        project = load_project(settings.root)
        token = _prepare(settings)
        database = _open(settings, closing)
        clock = kept_clock(database, settings.speed)
        address = Address(settings.public_url.rstrip("/"))
        desk = ForgeDesk(settings.root, project.forges)
        definitions = WatchedDefinitions(settings.root, project.flags)
        telemetry = Telemetry()
        context = Context(
            root=settings.root,
            project=project,
            definitions=definitions,
            repository=GitRepository.around(settings.root),
            health=_health(settings, project),
            on_call=build_on_call(settings, project),
            requests=build_requests(settings, project),
            telemetry=telemetry,
            address=address,
            issues=desk.forges,
        )
        services = Services(database, context, clock)
        sign_on = _reachable(settings, services)
        metrics = Metrics()
        hub = Hub(partial(encoded_snapshot, services), metrics.spread)
        services.listen(hub.tell)
        _declare(services, hub, definitions, closing)
        chat = build_chat(settings, services)
        closing.callback(chat.close)
        closing.callback(desk.close)  # after the engine, which may be at an issue
        engine, ticks = _engine(settings, services, chat, desk, closing)
        metrics.watch(
            hub,
            {
                TICKS: ticks,
                DATABASE_ERRORS: lambda: database.errors,
            },
            telemetry.jobs,
        )
        services.observe(metrics.carried_out)
        access = Access(services, token)
        health = Health(
            ask=lambda: services.ask(views.reachable, ENGINE),
            draining=Draining(),
            measured=Measured(access=access, metrics=metrics, local=settings.local),
        )
        signing_in = _signing_in(settings, services, access, sign_on)
        more = [*chat.routes, *forge_routes(desk, services)]
        asgi = _asgi(settings, services, definitions, hub, health, signing_in, more=more)
        return Application(
            settings=settings,
            services=services,
            asgi=asgi,
            hub=hub,
            replicas=Replicas(services),
            engine=engine,
            flagd=build_flagd(settings, context, hub, access),
            chat=chat,
            desk=desk,
            token=token,
            address=address,
            draining=health.draining,
            remarks=(*remarks(settings, speed_of(clock)), *desk.remarks()),
            closing=closing.pop_all(),
        )


def _reachable(settings: Settings, services: Services) -> SignOnSettings | None:
    """Return how people sign on, once it is clear that others may reach the server."""
    sign_on = services.ask(partial(sign_on_settings, settings), ENGINE)
    check_reach(settings, owner=_has_owner(services, sign_on))
    return sign_on


def _declare(
    services: Services, hub: Hub, definitions: WatchedDefinitions, closing: contextlib.ExitStack
) -> None:
    declaring = Declaring(services, hub)
    declaring.note()
    definitions.listen(declaring.changed)
    closing.callback(declaring.close)


def _prepare(settings: Settings) -> str:
    chosen_driver(settings)  # what would not work is said before anything is made
    try:
        return folder.prepare(settings.folder)
    except OSError as exc:
        raise Unavailable(
            f"{settings.folder} cannot be written: {exc.strerror}",
            hint="the server keeps its token there; check the permissions",
        ) from exc


def _has_owner(services: Services, sign_on: SignOnSettings | None) -> bool:
    issuer = sign_on.issuer if sign_on else ""
    by_groups = sign_on is not None and sign_on.has_admins
    return by_groups or services.ask(partial(people.has_owner, issuer=issuer), ENGINE)


def _signing_in(
    settings: Settings, services: Services, access: Access, sign_on: SignOnSettings | None
) -> SigningIn:
    cookie = SessionCookie(secure=settings.secure)
    browser = KnownBrowser(access.seal, secure=settings.secure)
    if sign_on is None:
        return SigningIn(services, cookie, browser)
    # It loads cryptography, which most servers do without.
    from flagstaff.server.auth.issuer import Issuer  # noqa: PLC0415
    from flagstaff.server.auth.sign_on import SignOn  # noqa: PLC0415

    return SigningIn(services, cookie, browser, SignOn(sign_on, services, Issuer(sign_on)))


def _health(settings: Settings, project: Project) -> ProductionCheck | None:
    check = project.policies.health
    return ProductionCheck(root=settings.root, settings=check) if check else None


def _open(settings: Settings, closing: contextlib.ExitStack) -> Database:
    file = database_file(settings.database_url)
    if file is not None:
        lock = FileLock(file.with_name(f"{file.name}.lock"))
        closing.callback(lock.release)
    database = open_database(settings.database_url)
    closing.callback(database.close)
    return database


def _engine(
    settings: Settings,
    services: Services,
    chat: Chat,
    desk: ForgeDesk,
    closing: contextlib.ExitStack,
) -> tuple[Engine | None, Callable[[], int]]:
    """Return what runs the rollouts here, and how often it has looked."""
    if settings.engine is EngineKind.NONE:
        desk.follow(services, lambda: False)
        return None, lambda: 0
    context = services.context
    world = World(
        settings.root,
        context.project,
        chat.announce,
        on_call=context.on_call,
        telemetry=context.telemetry,
        issues=desk.effects(services),
    )
    teller = build_teller(settings, context.project, chat.announce)
    if database_file(settings.database_url) is not None:
        with services.unit(ENGINE, write=True) as unit:
            looking.break_leases(unit)
    make_driver = chosen_driver(settings)
    driver = make_driver(services.clock) if make_driver else None
    engine = Engine(services, world, driver=driver, tell=teller.tell)
    closing.callback(engine.stop)
    chat.follow_rollouts(lambda: engine.leads)
    desk.follow(services, lambda: engine.leads)
    return engine, lambda: engine.ticks


def _asgi(  # noqa: PLR0913 it is where everything comes together
    settings: Settings,
    services: Services,
    definitions: WatchedDefinitions,
    hub: Hub,
    health: Health,
    signing_in: SigningIn,
    *,
    more: list[BaseRoute],
) -> ASGIApp:
    access, metrics = health.measured.access, health.measured.metrics
    telemetry = services.context.telemetry or Telemetry()
    environments = services.context.project.environments
    at_hand = AtHand(hub, environments, lambda: services.ask(views.reachable, ENGINE))
    visitor = Person(name=_user(), source=Source.WEB, roles=ADMIN_EVERYWHERE)
    site = Site(
        services=services,
        telemetry=telemetry,
        problems=lambda: definitions.problems,
        person_of=lambda request: visitor_of(request.scope),
        doors=signing_in,
        status_of=status_of,
    )
    compat = build_compat(services, hub, access, telemetry, metrics.dropped)
    routes: list[BaseRoute] = [
        *health.routes(),
        Route("/events", Names(hub, access)),
        Mount("/api/v1", Gate(build_api(services, telemetry, at_hand.last_good), access)),
        *compat.routes,
        *more,
        *site.routes(),
    ]
    pages = Starlette(
        routes=routes,
        middleware=[
            Middleware(
                Doorkeeper,
                services=services,
                cookie=signing_in.cookie,
                browser=signing_in.browser,
                visitor=visitor if settings.local else None,
            ),
        ],
        exception_handlers={
            FlagstaffError: error_page(site),
            404: not_an_address(missing_page(site)),
            500: fault_page(site),
        },
        lifespan=_lifespan(hub, definitions, at_hand, Remembering(services, telemetry)),
    )
    snapshots = Snapshots(hub, access, services.context, metrics.dropped)
    streams: dict[str, ASGIApp] = {
        "/events": pages,
        "/api/v1/events": Names(hub, access),
        "/api/v1/environments/{environment}/stream": snapshots,
    }
    get = frozenset({"GET"})
    return Front(
        pages,
        rules=Rules(frozenset(filter(None, (settings.public_host,))), secure=settings.secure),
        limits=Limits(settings),
        metrics=metrics,
        ways=Ways(
            [
                *(
                    Way(app=app, methods=get, path=path, stream=True)
                    for path, app in streams.items()
                ),
                *compat.ways,
            ]
        ),
    )


def _lifespan(
    hub: Hub, definitions: WatchedDefinitions, at_hand: AtHand, remembering: Remembering
) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_AT_FILES_EVERY)
            await run_sync(definitions)

    async def remember() -> None:
        while True:
            await asyncio.sleep(REMEMBER_EVERY)
            await run_sync(remembering.try_to_keep)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        hub.open()
        running = [asyncio.ensure_future(each) for each in (look(), remember(), at_hand.keep())]
        try:
            yield
        finally:
            for each in running:
                each.cancel()
            hub.close()
            await run_sync(remembering.try_to_keep)

    return lifespan


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        return "web"
