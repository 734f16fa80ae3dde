"""django-waffle with a database in memory and a cache in the process."""

from __future__ import annotations

import django
from django.conf import settings

from peers.common import ACTORS, BOOLEAN, LISTED, PERCENTAGE, RULE, fillers

EXPECTED = {"boolean": True, "list of 1,000 actors": True}


def calls(flags: int):
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "waffle"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
    from django.contrib.auth.models import AnonymousUser, User
    from django.core.management import call_command
    from django.test import RequestFactory
    from waffle import flag_is_active
    from waffle.models import Flag

    call_command("migrate", verbosity=0)
    users = User.objects.bulk_create([User(username=name) for name in ACTORS])
    Flag.objects.create(name=BOOLEAN, everyone=True)
    Flag.objects.create(name=PERCENTAGE, percent=25)
    Flag.objects.create(name=RULE, percent=25, staff=True)
    Flag.objects.create(name=LISTED).users.add(*users)
    Flag.objects.bulk_create([Flag(name=name, everyone=True) for name in fillers(flags)])
    someone, listed = RequestFactory().get("/"), RequestFactory().get("/")
    someone.user, listed.user = AnonymousUser(), User.objects.get(username=ACTORS[500])
    return {
        "boolean": (flag_is_active, (someone, BOOLEAN)),
        "percentage of actors": (flag_is_active, (someone, PERCENTAGE)),
        "list of 1,000 actors": (flag_is_active, (listed, LISTED)),
        "rule and percentage": (flag_is_active, (someone, RULE)),
    }
